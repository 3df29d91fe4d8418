import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import type { WriterList } from '../../../src/core/state.ts';
import {
  createGatewayProcesses,
  type GatewayProcesses,
  type GatewayProcessesDeps,
} from '../../../src/gateway/processes/gateway-processes.ts';
import { until } from '../../kit/until.ts';

let dir: string;
let program: string;
let processes: GatewayProcesses;

/** A process that serves nothing: it reports, in its version, what it has been told. */
const PROGRAM = `
const heard = [];
const report = () => process.send({ kind: 'report', report: {
  version: heard.join(' '), epoch: 1, at_ms: 1, policy_error: null, frozen: false, calls_open: 1,
  targets: {}, withheld: {},
  metrics: { hive_feedback_refused_total: [{ labels: ['x'], value: 1, count: 0, buckets: [] }] },
} });
process.on('message', ({ kind, ...rest }) => {
  heard.push(kind + ':' + (rest.state?.epoch ?? rest.urls?.local ?? ''));
  if (kind === 'serve') process.send({ kind: 'listening', port: 1234 });
  if (rest.state?.epoch === 9) process.send({ kind: 'response', id: 'resp_1', owner: {} });
  report();
  if (kind === 'handed-over') setTimeout(() => process.exit(0), 20);
});
process.on('disconnect', () => process.exit(0));
if (process.argv[2] === 'broken') process.exit(3);
process.send({ kind: 'assembled' });
`;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hive-processes-'));
  program = join(dir, 'gateway.mjs');
  writeFileSync(program, PROGRAM);
});
afterEach(() => processes.stop());
afterAll(() => rmSync(dir, { recursive: true }));

const STATE = { epoch: 1, rows: [], experiments: [], content: {} };

function start(over: Partial<GatewayProcessesDeps> = {}) {
  const lists: WriterList[] = [];
  const errors: unknown[] = [];
  processes = createGatewayProcesses({
    count: 2,
    fork: () => fork(program, [], { execArgv: [] }),
    clock: createClock({ origin_ms: 0, scale: 1 }),
    log: { ...silentLog, error: (_, fields) => errors.push(fields) },
    metrics: createMetrics(),
    stop_ms: 1000,
    onHint: () => {},
    onSample: () => {},
    onWriters: (list) => lists.push(list),
    ...over,
  });
  return { lists, errors };
}

const pids = () => Object.values(processes.children()).map(({ pid }) => pid);
const heard = () => processes.report({})?.version ?? '';

test('gateway processes listen on one port, and report as one', async () => {
  const { lists } = start();
  expect(await processes.listening()).toBe(1234);
  await until(() => processes.report({})?.calls_open === 2, { what: 'both reports' });
  const { names } = processes.writers();
  expect(names.map((name) => name.slice(0, 3))).toEqual(['g0-', 'g1-']);
  expect(lists.at(-1)?.names).toEqual(names);
  expect(Object.keys(processes.children())).toEqual(['gateway-0', 'gateway-1']);
});

test('gateway processes tell each other, and not themselves, what response was made', async () => {
  start();
  await processes.listening();
  processes.tell({ kind: 'state', state: { ...STATE, epoch: 9 } });
  const told = () => processes.report({})?.version ?? '';
  await until(() => told().includes('response:'), { what: 'the other to hear of it' });
  // Each hears in order: what comes behind says that nothing more was before it.
  processes.tell({ kind: 'engines', urls: { local: 'last' } });
  await until(() => told().endsWith('engines:last'), { what: 'the last word' });
  expect(told()).toBe('serve: state:9 response: engines:last');
});

test('gateway processes that begin late know the state and engines, but no permit', async () => {
  start({ count: 1 });
  await processes.listening();
  processes.tell({ kind: 'state', state: STATE });
  processes.tell({ kind: 'engines', urls: { local: 'http://x' } });
  processes.tell({ kind: 'permits', permits: [] });
  processes.tell({ kind: 'state', state: { ...STATE, epoch: 2 } });
  await until(() => heard().endsWith('permits: state:2'), { what: 'the first to hear it' });
  process.kill(pids()[0] as number, 'SIGKILL');
  await until(() => heard() === 'state:2 engines:http://x serve:', { what: 'the second to know' });
});

test('gateway processes keep the counts of those that end', async () => {
  start({ count: 1 });
  await processes.listening();
  const counted = () => processes.report({})?.metrics.hive_feedback_refused_total?.[0]?.value;
  await until(() => counted() === 1, { what: 'the first count' });
  process.kill(pids()[0] as number, 'SIGKILL');
  await until(() => counted() === 2, { what: 'both counts' });
});

test('restart replaces each process after its successor listens', async () => {
  const { lists } = start();
  await processes.listening();
  const [before, names, told] = [pids(), processes.writers().names, lists.length];
  await processes.restart();
  const after = pids();
  expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  expect(after).toHaveLength(2);
  // Never fewer than two of them: the new one came before the old one went.
  const counts = lists.slice(told).map((list) => list.names.length);
  expect(Math.min(...counts)).toBe(2);
  expect(processes.writers().names.filter((name) => names.includes(name))).toEqual([]);
});

test('restart leaves the old processes where a new one does not come up', async () => {
  let forks = 0;
  const { errors } = start({
    fork: () => {
      forks += 1;
      return fork(program, forks > 2 ? ['broken'] : [], { execArgv: [] });
    },
  });
  await processes.listening();
  const before = pids();
  await processes.restart();
  expect(pids()).toEqual(before);
  expect(errors).toMatchObject([{ error: /gateway-0 ended at its start/ }]);
});

test('listening rejects where a process ends at its start', async () => {
  start({ fork: () => fork(program, ['broken'], { execArgv: [] }) });
  await expect(processes.listening()).rejects.toThrow(/ended at its start/);
});
