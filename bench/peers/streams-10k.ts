import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { freePorts } from '../../test/kit/ports.ts';
import { signal } from '../../test/kit/processes.ts';
import { until } from '../../test/kit/until.ts';
import { round } from '../gates.ts';
import { askedBody } from './bodies.ts';
import { startHive } from './gateways.ts';
import { cpuMsOf, rssKbOf } from './proc.ts';
import { startStreamLoad, startStreamsUpstream } from './streams.ts';

// 10,000 open streams for ten minutes: `npm run bench:peers:10k`, on Linux. BENCH_STREAMS and
// BENCH_MINUTES ask for less, BENCH_WORKERS=2 for two gateway processes, where one may not have
// enough files. Each stream gets an event a second. It prints the memory each half minute, which goes
// up and down with V8's collections; a leak is what is alive after one and grows in the second half.

const streams = Math.min(10_000, Math.max(100, Number(process.env.BENCH_STREAMS ?? 10_000)));
const minutes = Math.min(60, Math.max(1, Math.round(Number(process.env.BENCH_MINUTES ?? 10))));
const workers = Math.min(8, Math.max(1, Number(process.env.BENCH_WORKERS ?? 1)));
const CHUNK_EVERY_MS = 1000;
const STEP = 1000;
const KB_MAX = 110;
const GROWTH_MAX = 1.1;
/**
 * A stream has two sockets in its gateway process; the rest is for files, for connections that end
 * and for what one process gets more of than the others. The client has one socket a stream.
 */
const files = Math.max((2 * streams) / workers, streams) + 1000 * workers;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const allowed = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  if (allowed !== 'unlimited' && Number(allowed) < files) {
    process.stderr.write(
      `${streams} streams need ${files} open files and this shell allows ${allowed}: ` +
        `raise it with ulimit -n ${files}, ask for less with BENCH_STREAMS, or set BENCH_WORKERS.\n`,
    );
    return 2;
  }
  const [port] = (await freePorts(1)) as [number];
  const upstream = await startStreamsUpstream(port, CHUNK_EVERY_MS);
  try {
    return await hold(port);
  } finally {
    await upstream.end();
  }
}

async function hold(port: number): Promise<number> {
  const told = mkdtempSync(join(tmpdir(), 'hive-live-'));
  const probe = new URL(`./live-heap.ts?to=${pathToFileURL(told).href}`, import.meta.url).href;
  const node_args = ['--expose-gc', '--import', probe];
  const hive = await startHive({ whole: port, streams: port }, { workers, node_args });
  const load = startStreamLoad(hive, askedBody(1024, { stream: true }));
  try {
    await load.open(20);
    await delay(5000);
    const cold_kb = rssKbOf(hive.pids);
    for (let open = STEP; open < streams + STEP; open += STEP) {
      await load.open(Math.min(open, streams));
    }
    const readings: number[] = [];
    let middle_mb = 0;
    for (let half = 0; half < minutes * 2; half += 1) {
      const before_ms = cpuMsOf(hive.pids);
      await delay(30_000);
      const { streams: left, events, broken } = await load.count();
      const each_kb = (rssKbOf(hive.pids) - cold_kb) / streams;
      readings.push(each_kb);
      const cpu = ((cpuMsOf(hive.pids) - before_ms) / 30_000) * 100;
      say(
        `${(half + 1) / 2} min: ${left} open, ${broken} broken, ${events} events, ` +
          `${round(each_kb)} KB a stream over cold, ${round(cpu)} % of a core`,
      );
      if (broken > 0) return 1;
      if (half + 1 === minutes) middle_mb = await liveMb(hive.pids, told);
    }
    const last_mb = await liveMb(hive.pids, told);
    const most = Math.max(...readings);
    const leaks = last_mb > middle_mb * GROWTH_MAX;
    say(
      `${round(most)} KB a stream at most, of ${KB_MAX}; alive after a collection ` +
        `${round(middle_mb)} MB in the middle and ${round(last_mb)} at the end: ` +
        `${leaks ? 'still GROWING' : 'no leak'}`,
    );
    return most > KB_MAX || leaks ? 1 : 0;
  } finally {
    await load.end();
    await hive.end();
    rmSync(told, { recursive: true, force: true });
  }
}

/** What of the processes' heaps and buffers is alive, in MB. */
async function liveMb(pids: readonly number[], told: string): Promise<number> {
  const files = pids.map((pid) => join(told, String(pid)));
  for (const file of files) rmSync(file, { force: true });
  for (const pid of pids) signal(pid, 'SIGUSR2');
  const wait = { what: 'what is alive', deadline_ms: 30_000 };
  await until(() => files.every((file) => existsSync(file) && readFileSync(file).length > 0), wait);
  return files.reduce((sum, file) => sum + Number(readFileSync(file, 'utf8')) / 1e6, 0);
}

process.exitCode = await main();
