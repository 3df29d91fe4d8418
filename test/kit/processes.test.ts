import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { descendantsOf, isAlive, listProcesses, pssKb, signal } from './processes.ts';
import { until } from './until.ts';

const WAITS = 'setInterval(() => {}, 1000)';
const FORKS = `require('node:child_process')
  .spawn(process.execPath, ['-e', '/* a (strange) name */ ${WAITS}']); ${WAITS}`;

const started: number[] = [];
afterEach(() => {
  for (const pid of started.splice(0)) signal(pid, 'SIGKILL');
});

describe('processes', () => {
  test('descendantsOf finds a child of a child, which outlives a killed parent', async () => {
    const parent = spawn(process.execPath, ['-e', FORKS], { stdio: 'ignore' });
    const pid = parent.pid as number;
    started.push(pid);
    const [child] = await until(
      () => {
        const found = descendantsOf(pid).filter(({ command }) => command.includes('(strange)'));
        return found.length > 0 && found;
      },
      { what: 'the child of the child' },
    );
    if (!child) throw new Error('unreachable');
    started.push(child.pid);
    expect(child.parent).toBe(pid);
    expect(descendantsOf(process.pid).map((one) => one.pid)).toContain(child.pid);

    const ended = once(parent, 'exit');
    signal(pid, 'SIGKILL');
    await ended;
    expect(isAlive(child)).toBe(true);
    signal(child.pid, 'SIGKILL');
    await until(() => !isAlive(child), { what: 'the end of the child' });
    expect(() => signal(child.pid, 'SIGKILL')).not.toThrow();
  });

  test('isAlive tells a process from another one of the same pid', () => {
    const mine = listProcesses().find(({ pid }) => pid === process.pid);
    if (!mine) throw new Error('this process is not listed');
    expect(isAlive(mine)).toBe(true);
    expect(isAlive({ ...mine, started: 'another time' })).toBe(false);
  });

  test.runIf(process.platform === 'linux')('pssKb reads a plausible size, null of nobody', () => {
    expect(pssKb(process.pid)).toBeGreaterThan(10_000);
    expect(pssKb(process.pid)).toBeLessThan(4_000_000);
    expect(pssKb(2 ** 22 + 1)).toBeNull();
  });
});
