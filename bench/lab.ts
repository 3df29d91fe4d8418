import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../src/core/series/random.ts';

/**
 * What `hive lab` costs: `node bench/lab.ts start` times whole processes on files of a few rows, 20
 * of each command, with nothing compiled before and with all of it; `node bench/lab.ts rows [N]
 * [COMMAND]` runs the commands on files of N rows (a million) and tells time and peak memory.
 */
const STARTS = 20;
const HIVE = join(import.meta.dirname, '../bin/hive.mjs');

type Random = ReturnType<typeof createRandom>;
type Lines = (row: number, random: Random) => string;
interface Sample {
  readonly name: string;
  readonly args: (file: (name: string) => string) => readonly string[];
  /** By file name: its first line, if it has one, and its rows. */
  readonly files: Readonly<Record<string, { readonly head?: string; readonly line: Lines }>>;
}

const START_MS = Date.UTC(2026, 0, 1);
const timeOf = (row: number, step_ms: number): string =>
  new Date(START_MS + row * step_ms).toISOString();

/** Requests an hour: a day's season, noise, and a step every 250,000 rows. */
const series: Lines = (row, random) => {
  const season = 200 * Math.sin((2 * Math.PI * row) / 24);
  const level = 1000 + 150 * (Math.floor(row / 250_000) % 2);
  return `${timeOf(row, 3_600_000)},${(level + season + 40 * random.normal()).toFixed(1)}`;
};
const noise: Lines = (row, random) =>
  `${timeOf(row, 60_000)},${(100 * Math.exp(0.3 * random.normal())).toFixed(3)}`;

/** Alike in both arms, so that it is never decided; a unit comes back five times. */
const unit: Lines = (row, random) =>
  JSON.stringify({
    time: timeOf(row, 1000),
    arm: row % 20 === 0 ? 'b' : 'a',
    unit: `unit-${row % 20}-${Math.floor(random.next() * 10_000)}`,
    ok: random.next() < 0.02 ? 0 : 1,
    latency_ms: Math.round(300 * Math.exp(0.5 * random.normal())),
    ...(random.next() < 0.1 ? { rating: 1 + Math.floor(5 * random.next()) } : {}),
  });

const ACTIONS = ['a', 'b', 'c', 'd'];
const decision: Lines = (row, random) => {
  const chosen = Math.floor(random.next() * ACTIONS.length);
  const context = Object.fromEntries(
    Array.from({ length: 20 }, (_, feature) => [`f${feature}`, random.next().toFixed(3)]),
  );
  const propensity = 1 / ACTIONS.length;
  const reward = random.next() < 0.2 + 0.1 * chosen ? 1 : 0;
  return JSON.stringify({
    id: row,
    context,
    actions: ACTIONS,
    action: ACTIONS[chosen],
    propensity,
    reward,
  });
};
const target: Lines = (row) =>
  JSON.stringify({ id: row, probs: { a: 0.1, b: 0.2, c: 0.3, d: 0.4 } });

const SERIES = { head: 'timestamp,value', line: series };
const SAMPLES: readonly Sample[] = [
  {
    name: 'detect',
    args: (file) => ['detect', '--detector', 'default', '--input', file('series.csv')],
    files: { 'series.csv': SERIES },
  },
  {
    name: 'changepoints, season and steps',
    args: (file) => ['changepoints', '--input', file('series.csv')],
    files: { 'series.csv': SERIES },
  },
  {
    name: 'changepoints, noise',
    args: (file) => ['changepoints', '--input', file('noise.csv')],
    files: { 'noise.csv': { head: 'timestamp,value', line: noise } },
  },
  {
    name: 'canary',
    args: (file) => ['canary', '--units', file('units.jsonl')],
    files: { 'units.jsonl': { line: unit } },
  },
  {
    name: 'ope',
    args: (file) => ['ope', '--log', file('log.jsonl'), '--target', file('target.jsonl')],
    files: { 'log.jsonl': { line: decision }, 'target.jsonl': { line: target } },
  },
];

interface Ran {
  readonly ms: number;
  readonly rss_mb: number;
  /** The end of what it printed. */
  readonly last: string;
}

async function run(args: readonly string[], cache: string): Promise<Ran> {
  const started_ms = performance.now();
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const child = spawn(process.execPath, [HIVE, 'lab', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-4000);
  });
  let rss_mb = 0;
  const watch = setInterval(() => {
    rss_mb = Math.max(rss_mb, peakOf(child));
  }, 20);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(watch);
  if (code !== 0) throw new Error(`hive lab ${args.join(' ')} ended with ${code}: ${last}`);
  return { ms: performance.now() - started_ms, rss_mb, last: last.trimEnd() };
}

/** The kernel's own high-water mark, so that a look now and then misses nothing but the end. */
function peakOf({ pid }: ChildProcess): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function write(dir: string, sample: Sample, rows: number): Promise<void> {
  for (const [name, { head, line }] of Object.entries(sample.files)) {
    const random = createRandom(1);
    const file = createWriteStream(join(dir, name));
    if (head !== undefined) file.write(`${head}\n`);
    for (let row = 0; row < rows; row += 1) {
      if (!file.write(`${line(row, random)}\n`)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
  }
}

async function starts(dir: string): Promise<void> {
  for (const sample of SAMPLES) {
    if (sample.name.endsWith('noise')) continue;
    await write(dir, sample, 12);
    const args = sample.args((name) => join(dir, name));
    const [cold, warm] = [[] as number[], [] as number[]];
    await run(args, join(dir, 'warm'));
    for (let n = 0; n < STARTS; n += 1) {
      const cache = mkdtempSync(join(dir, 'cold-'));
      cold.push((await run(args, cache)).ms);
      warm.push((await run(args, join(dir, 'warm'))).ms);
      rmSync(cache, { recursive: true });
    }
    console.log(`${sample.name}: compiled before ${told(warm)}, never ${told(cold)}`);
  }
}

function told(times: readonly number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(0);
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms`;
}

async function rows(dir: string, count: number, only: string | undefined): Promise<void> {
  for (const sample of SAMPLES) {
    if (only !== undefined && !sample.name.startsWith(only)) continue;
    await write(dir, sample, count);
    const { ms, rss_mb, last } = await run(
      sample.args((name) => join(dir, name)),
      join(dir, 'warm'),
    );
    const answer = last.slice(last.lastIndexOf('\n') + 1).slice(0, 160);
    console.log(`${sample.name}: ${(ms / 1000).toFixed(1)} s, ${rss_mb.toFixed(0)} MB: ${answer}`);
  }
}

const dir = mkdtempSync(join(tmpdir(), 'hive-lab-'));
try {
  const [what = 'start', count = '1000000', only] = process.argv.slice(2);
  if (what === 'start') await starts(dir);
  else if (what === 'rows') await rows(dir, Number(count), only);
  else writeFileSync(2, 'node bench/lab.ts start | rows [N] [COMMAND]\n');
} finally {
  rmSync(dir, { recursive: true, force: true });
}
