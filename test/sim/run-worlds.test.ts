import { describe, expect, test } from 'vitest';
import { runWorld } from '../../src/sim/run-world.ts';
import { runWorlds } from '../../src/sim/run-worlds.ts';
import { smallWorld } from './world-kit.ts';

const world = smallWorld({
  days: 1,
  users: { people: { agent: 'helper', count: 20, calls_per_day: 4 } },
});
const QUICK = { detectors: ['dissatisfaction', 'performance-degradation'] };

describe('runs of a world', () => {
  test('are the same in one thread and in several, and tell how far they are', async () => {
    const each = [3, 4, 5, 6, 7].map((seed) => runWorld(world, { seed, ...QUICK }));
    for (const jobs of [1, 2]) {
      const told: (readonly [number, number])[] = [];
      const onProgress = (share: number, done: number): void => {
        told.push([share, done]);
      };
      const options = { seed: 3, runs: 5, jobs, ...QUICK, onProgress };
      expect(await runWorlds(world, options)).toEqual(each);
      expect(told.at(-1)?.[0]).toBe(1);
      const done = told.map(([, runs]) => runs);
      expect(done).toEqual(done.toSorted((left, right) => left - right));
    }
  });

  test('end with the error of one that cannot be run, in a thread as without', async () => {
    for (const jobs of [1, 2]) {
      const options = { seed: 1, runs: 4, jobs, detectors: ['no-such'] };
      const run = runWorlds(world, options);
      await expect(run).rejects.toMatchObject({
        code: 'bad_request',
        message: 'there is no detector no-such',
      });
    }
  });
});
