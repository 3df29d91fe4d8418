import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { takeLock } from '../../src/config/lock.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { until } from '../kit/until.ts';
import { makeFolder } from './world.ts';

const LOCK_SOURCE = new URL('../../src/config/lock.ts', import.meta.url).href;
const at_once = { wait_ms: 0, what: 'the data directory ./data' };

/** A process that takes the lock, says so, and holds it until it is killed. */
async function holder(path: string): Promise<ChildProcess> {
  const script = `
    const { takeLock } = await import(${JSON.stringify(LOCK_SOURCE)});
    await takeLock(${JSON.stringify(path)}, { wait_ms: 5000, what: 'x' });
    process.stdout.write('held');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

async function refusal(path: string): Promise<GatewayError> {
  try {
    await takeLock(path, at_once);
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error('the lock was given');
}

describe('takeLock', () => {
  test('is refused with the holder’s pid, and stolen once the holder is dead', async () => {
    const path = join(makeFolder({}), 'data', 'lock');
    const child = await holder(path);
    const error = await refusal(path);
    expect(error.message).toMatch(
      new RegExp(`^the data directory ./data is in use by process ${child.pid}: stop it first`),
    );
    expect(error.details.pid).toBe(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await takeLock(path, at_once);
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid);
    lock.release();
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test('waits for a holder that is about to end', async () => {
    const path = join(makeFolder({}), 'lock');
    const first = await takeLock(path, at_once);
    const second = takeLock(path, { wait_ms: 10_000, what: 'x' });
    first.release();
    const lock = await second;
    expect(existsSync(path)).toBe(true);
    lock.release();
  });

  test('is stolen from a pid that another process has now', async () => {
    const folder = makeFolder({ lock: JSON.stringify({ pid: process.pid, started: 'long ago' }) });
    const lock = await takeLock(join(folder, 'lock'), at_once);
    lock.release();
  });

  test.each(['', 'no JSON', '{"pid":-1}'])(
    'takes a lock file that names nobody: %j',
    async (text) => {
      const folder = makeFolder({ lock: text });
      (await takeLock(join(folder, 'lock'), at_once)).release();
    },
  );

  test('releases once, and never the lock of somebody else', async () => {
    const path = join(makeFolder({}), 'lock');
    const lock = await takeLock(path, at_once);
    writeFileSync(path, 'theirs');
    lock.release();
    expect(readFileSync(path, 'utf8')).toBe('theirs');
    lock.release();
  });

  test('goes to exactly one of many that find its holder dead', async () => {
    const path = join(makeFolder({ lock: '{"pid":1,"started":"never"}' }), 'lock');
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => takeLock(path, { wait_ms: 300, what: 'x' })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await until(() => readdirSync(dirname(path)).join() === 'lock', { what: 'no files left over' });
  });
});
