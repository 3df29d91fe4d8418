import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../test/kit/ports.ts';
import { INSTALL, missingTools } from '../install-peers.ts';
import { ANSWER, askedBody } from './bodies.ts';
import {
  type Contestants,
  type Effort,
  measureAddedTime,
  measureCpuPerCall,
  measureEdit,
} from './calls.ts';
import { type Figure, figuresTable, verdictOf } from './figures.ts';
import {
  type Gateway,
  hasPortkey,
  PATH,
  startHive,
  startNginxGateway,
  startPortkey,
  type Upstreams,
} from './gateways.ts';
import { type Nginx, startNginx, staticServer } from './nginx.ts';
import { LOAD_CORE } from './pinned.ts';
import { describeMachine, keep } from './report.ts';
import { measureStarts } from './starts.ts';
import { measureCallsAfterStreams, measureCpuPerEvent, measureRss } from './stream-rows.ts';
import { startStreamsUpstream } from './streams.ts';
import { measureWorkers } from './workers.ts';

// The side-by-side with nginx and Portkey: `npm run bench:peers`, about fifteen minutes, Linux only,
// all on loopback. BENCH_ROUNDS (5) rounds of BENCH_SECONDS (4) each; BENCH_ONLY=calls,edit,… runs
// some of the rows, and then nothing is written.

const ROWS = ['calls', 'edit', 'latency', 'streams', 'workers', 'rss', 'starts'] as const;
type Row = (typeof ROWS)[number];
const TOGETHER: readonly Row[] = ['calls', 'edit', 'latency', 'streams'];

const CHUNK_EVERY_MS = 100;
const PORTKEY_VERSION = '1.15.2';
const KB = 1024;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const count = (name: string, most: number, usual: number): number =>
  Math.min(most, Math.max(1, Number(process.env[name] ?? usual) || usual));

async function main(): Promise<number> {
  const missing = missingTools();
  if (missing.length > 0) {
    process.stderr.write(`missing: ${missing.join(', ')}. ${INSTALL}\n`);
    return 2;
  }
  const only = process.env.BENCH_ONLY?.split(',') ?? ROWS;
  const rows = ROWS.filter((row) => only.includes(row));
  const effort = {
    rounds: count('BENCH_ROUNDS', 20, 5),
    seconds: count('BENCH_SECONDS', 30, 4),
    warm_s: count('BENCH_WARM_SECONDS', 60, 15),
  };
  // This process is part of the load.
  spawnSync('taskset', ['-acp', LOAD_CORE, String(process.pid)], { stdio: 'ignore' });
  const machine = describeMachine(hasPortkey() ? PORTKEY_VERSION : null);
  if (machine.load_before > 0.5) say(`load ${machine.load_before}: this machine is busy; doubt it`);
  const figures = await measureAll(rows, effort);
  if (rows.length === ROWS.length) keep(machine, figures);
  say(`\n${figuresTable(figures)}`);
  return figures.some((figure) => verdictOf(figure) === 'MISSED') ? 1 : 0;
}

async function measureAll(rows: readonly Row[], effort: Effort): Promise<readonly Figure[]> {
  const [whole, streams] = (await freePorts(2)) as [number, number];
  const upstreams = { whole, streams };
  const answering = await startNginx(LOAD_CORE, whole, [staticServer(whole, ANSWER)]);
  const streaming = await startStreamsUpstream(streams, CHUNK_EVERY_MS);
  try {
    const figures: Figure[] = [];
    const both = await measureTogether(rows, upstreams, effort);
    figures.push(...both, ...(await measureAlone(rows, upstreams, answering, effort)));
    return figures;
  } finally {
    await streaming.end();
    await answering.end();
  }
}

/** The rows for which all stand side by side, one at work at a time. */
async function measureTogether(
  rows: readonly Row[],
  upstreams: Upstreams,
  effort: Effort,
): Promise<readonly Figure[]> {
  if (!rows.some((row) => TOGETHER.includes(row))) return [];
  const started: Gateway[] = [];
  const add = async (starting: Promise<Gateway>): Promise<Gateway> => {
    const gateway = await starting;
    started.push(gateway);
    return gateway;
  };
  const figures: Figure[] = [];
  const done = (more: readonly Figure[]): void => {
    figures.push(...more);
    say(figuresTable(more));
  };
  try {
    const contestants: Contestants = {
      nginx: await add(startNginxGateway(upstreams)),
      hive: await add(startHive(upstreams)),
      portkey: hasPortkey() ? await add(startPortkey(upstreams)) : null,
    };
    const { hive } = contestants;
    const body = askedBody(KB);
    const direct = { port: upstreams.whole, path: PATH, headers: {} };
    if (rows.includes('calls')) done(await measureCpuPerCall(contestants, body, effort));
    if (rows.includes('edit')) done([await measureEdit(hive, askedBody(10 * KB), effort)]);
    if (rows.includes('latency')) {
      done([await measureAddedTime(contestants, direct, body, effort)]);
    }
    if (rows.includes('streams')) {
      const streamed = askedBody(KB, { stream: true });
      // Before the other row of streams: a gateway that has had none yet is compared.
      done([await measureCallsAfterStreams(contestants, { whole: body, streamed }, effort)]);
      done([await measureCpuPerEvent(contestants, streamed, effort)]);
    }
    return figures;
  } finally {
    for (const gateway of started) await gateway.end();
  }
}

/** The rows that need processes of their own. */
async function measureAlone(
  rows: readonly Row[],
  upstreams: Upstreams,
  answering: Nginx,
  effort: Effort,
): Promise<readonly Figure[]> {
  const { rounds } = effort;
  const data = mkdtempSync(join(tmpdir(), 'hive-peers-data-'));
  const starts = [
    { name: 'hive', start: () => startHive(upstreams, { data_dir: data }) },
    { name: 'nginx', start: () => startNginxGateway(upstreams) },
    ...(hasPortkey() ? [{ name: 'Portkey', start: () => startPortkey(upstreams) }] : []),
  ];
  const figures: Figure[] = [];
  try {
    const [first] = starts;
    // A first start makes the database; what is measured are all others.
    if (first && rows.some((row) => row === 'rss' || row === 'starts')) {
      await (await first.start()).end();
    }
    if (rows.includes('workers')) {
      figures.push(await measureWorkers(upstreams, answering.workers, askedBody(KB), effort));
    }
    const body = askedBody(KB, { stream: true });
    if (rows.includes('rss')) figures.push(await measureRss(starts, body, Math.min(rounds, 3)));
    if (rows.includes('starts'))
      figures.push(...(await measureStarts(starts, Math.min(rounds, 5))));
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
  if (figures.length > 0) say(figuresTable(figures));
  return figures;
}

process.exitCode = await main();
