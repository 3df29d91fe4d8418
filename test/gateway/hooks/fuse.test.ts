import { expect, test } from 'vitest';
import { createFuse } from '../../../src/gateway/hooks/fuse.ts';

const failing = (runs: number, from_ms = 0) => {
  const fuse = createFuse();
  for (let run = 0; run < runs; run += 1) fuse.record(false, from_ms);
  return fuse;
};

test('fuse lets everything through until ten runs have failed', () => {
  expect(failing(9).admits(0)).toBe(true);
  expect(failing(10).admits(0)).toBe(false);
});

test('fuse stays closed while half of the runs are well', () => {
  const fuse = createFuse();
  for (let run = 0; run < 100; run += 1) fuse.record(run % 2 === 0, 0);
  expect(fuse.admits(0)).toBe(true);
});

test('fuse forgets what is older than its window', () => {
  const fuse = failing(9);
  fuse.record(false, 10_001);
  expect(fuse.admits(10_001)).toBe(true);
});

test('fuse lets one run through after a while, and its result decides', () => {
  const fuse = failing(10);
  expect(fuse.admits(9_999)).toBe(false);
  expect(fuse.admits(10_000)).toBe(true);
  expect(fuse.admits(10_000)).toBe(false);
  fuse.record(false, 10_001);
  expect(fuse.admits(15_000)).toBe(false);
  expect(fuse.admits(20_001)).toBe(true);
  fuse.record(true, 20_002);
  expect(fuse.admits(20_003)).toBe(true);
});

test('fuse does not wait for ever on a run that never reports', () => {
  const fuse = failing(10);
  expect(fuse.admits(10_000)).toBe(true);
  expect(fuse.admits(20_000)).toBe(true);
});

test('fuse counts runs that end while it is open for nothing', () => {
  const fuse = failing(10);
  fuse.record(true, 1);
  expect(fuse.admits(2)).toBe(false);
});

test('fuse judges asynchronous runs too', async () => {
  const fuse = createFuse();
  for (let run = 0; run < 10; run += 1) {
    const work = Promise.reject(new Error('broken'));
    fuse.watch(work);
    await work.catch(() => {});
  }
  await new Promise(setImmediate);
  expect(fuse.admits(0)).toBe(false);
  fuse.close();
});
