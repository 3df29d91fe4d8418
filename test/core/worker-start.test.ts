import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { heapGrowingFlag, WORKER_FLAGS } from '../../src/core/worker-start.ts';

test("a worker's heap grows more while a backlog is applied, and little again after it", () => {
  const percentOf = (records: number) => Number(heapGrowingFlag(records).split('=')[1]);
  expect(percentOf(4000)).toBeGreaterThan(2 * percentOf(50));
  expect(percentOf(0)).toBe(percentOf(50));
});

test("a worker's flags are ones that Node and V8 know", () => {
  const args = [...WORKER_FLAGS, heapGrowingFlag(0), '-e', ''];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
