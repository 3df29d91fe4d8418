import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClock, systemTime } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import { type ChildSpec, supervise } from '../../../src/gateway/processes/children.ts';
import { until } from '../../kit/until.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hive-children-'));
});
afterAll(() => rm(dir, { recursive: true }));

const ECHO = `
process.on('message', (message) => process.send({ heard: message }));
process.on('disconnect', () => process.exit(0));
process.send({ pid: process.pid });
`;
/** Says that it is deaf once it is: only then has SIGTERM no effect on it. */
const DEAF = `process.on('SIGTERM', () => {}); ${ECHO}`;

async function script(name: string, text: string): Promise<string> {
  const path = join(dir, `${name}.mjs`);
  await writeFile(path, text);
  return path;
}

function supervised(path: string, over: Partial<ChildSpec> = {}) {
  const messages: unknown[] = [];
  const waits: number[] = [];
  const metrics = createMetrics();
  const started: ChildProcess[] = [];
  const child = supervise({
    name: 'worker',
    fork: () => fork(path, [], { execArgv: [] }),
    onMessage: (message) => messages.push(message),
    onStart: (process) => started.push(process),
    log: silentLog,
    metrics,
    clock: createClock({ origin_ms: 0, scale: 1 }, systemTime),
    // Backoffs are written down and cut short: what is tested is which they are.
    after: (act, ms) => {
      waits.push(ms);
      const timer = setTimeout(act, Math.min(ms, 20));
      return () => clearTimeout(timer);
    },
    ...over,
  });
  return { child, messages, waits, metrics, started };
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('supervise', () => {
  test('supervise exchanges messages with the child and ends it on stop', async () => {
    const { child, messages } = supervised(await script('echo', ECHO));
    await until(() => messages.length === 1, { what: 'the child to speak' });
    expect(child.report()).toMatchObject({ state: 'running', restarts: 0 });
    expect(child.send({ kind: 'hint' })).toBe(true);
    await until(() => messages.length === 2, { what: 'the echo' });
    expect(messages[1]).toEqual({ heard: { kind: 'hint' } });
    const pid = child.report().pid as number;
    await child.stop();
    expect(alive(pid)).toBe(false);
    expect(child.report()).toEqual({ state: 'stopped', pid: null, restarts: 0 });
    expect(child.send({ kind: 'hint' })).toBe(false);
  });

  test('supervise lets a child stand back when told, its successor when told again', async () => {
    const { child, messages } = supervised(await script('echo', ECHO));
    const priority = () => getPriority(child.report().pid as number);
    const back = Math.min(constants.priority.PRIORITY_LOW, getPriority() + 3);
    await until(() => messages.length === 1, { what: 'the child to speak' });
    expect(priority()).toBe(getPriority());
    child.standBack(3);
    expect(priority()).toBe(back);
    process.kill(child.report().pid as number, 'SIGKILL');
    await until(() => messages.length === 2, { what: 'the second child to speak' });
    expect(priority()).toBe(getPriority());
    child.standBack(3);
    expect(priority()).toBe(back);
    await child.stop();
    child.standBack(3);
  });

  test('supervise starts a killed child again and tells whoever must speak to it', async () => {
    const { child, started, metrics } = supervised(await script('echo', ECHO));
    await until(() => child.report().state === 'running', { what: 'the first child' });
    const first = child.report().pid as number;
    process.kill(first, 'SIGKILL');
    await until(() => child.report().restarts === 1 && child.report().state === 'running', {
      what: 'the second child',
    });
    expect(child.report().pid).not.toBe(first);
    expect(started).toHaveLength(2);
    expect(metrics.snapshot().hive_child_restarts_total).toMatchObject([
      { labels: ['worker'], value: 1 },
    ]);
    await child.stop();
  });

  test('supervise waits longer after each exit of a child that does not stay', async () => {
    const path = await script('exits', 'process.exit(3);');
    const { child, waits } = supervised(path, { backoff_ms: [250, 900] });
    await until(() => waits.length >= 4, { what: 'four exits' });
    await child.stop();
    expect(waits.slice(0, 4)).toEqual([250, 500, 900, 900]);
  });

  test('supervise begins the backoff anew after a child that had stayed', async () => {
    const path = await script('exits', 'process.exit(3);');
    const { child, waits } = supervised(path, { healthy_ms: 0 });
    await until(() => waits.length >= 3, { what: 'three exits' });
    await child.stop();
    expect(waits.slice(0, 3)).toEqual([250, 250, 250]);
  });

  test('supervise takes a fork that throws for an exit', async () => {
    let forks = 0;
    const { child } = supervised('', {
      fork: () => {
        forks += 1;
        throw new Error('EAGAIN');
      },
    });
    await until(() => forks >= 3, { what: 'three tries' });
    await child.stop();
    const after = forks;
    expect(child.report()).toMatchObject({ state: 'stopped', pid: null });
    await new Promise(setImmediate);
    expect(forks).toBe(after);
  });

  test('supervise takes a process that cannot be spawned for an exit', async () => {
    const execPath = join(dir, 'no-such-node');
    const { child, waits } = supervised('', { fork: () => fork('x', [], { execPath }) });
    await until(() => waits.length >= 2, { what: 'two failures' });
    await child.stop();
    expect(child.report().pid).toBeNull();
  });

  test('supervise outlives a message that cannot be understood', async () => {
    const errors: unknown[] = [];
    const { child } = supervised(await script('echo', ECHO), {
      onMessage: () => {
        throw new Error('what?');
      },
      log: { ...silentLog, error: (_, fields) => errors.push(fields) },
    });
    await until(() => errors.length === 1, { what: 'the complaint' });
    expect(errors).toEqual([{ child: 'worker', error: 'what?' }]);
    expect(child.report()).toMatchObject({ state: 'running', restarts: 0 });
    await child.stop();
  });

  test('stop kills a child that does not hear SIGTERM', async () => {
    const { child, messages, waits } = supervised(await script('deaf', DEAF), { stop_ms: 50 });
    await until(() => messages.length === 1, { what: 'the deaf child' });
    const pid = child.report().pid as number;
    await child.stop();
    expect(waits).toEqual([50]);
    expect(alive(pid)).toBe(false);
  });

  test('a child whose parent is gone ends itself', async () => {
    const path = await script('echo', ECHO);
    const parent = await script(
      'parent',
      `import { fork } from 'node:child_process';
       const child = fork(${JSON.stringify(path)});
       child.on('message', (message) => process.send(message));`,
    );
    const { child, messages } = supervised(parent);
    const grandchild = await until(() => (messages[0] as { pid: number } | undefined)?.pid, {
      what: 'the grandchild',
    });
    process.kill(child.report().pid as number, 'SIGKILL');
    await until(() => !alive(grandchild), { what: 'the orphan to end' });
    await child.stop();
  });
});
