import { expect, test } from 'vitest';
import { createCollector } from '../../src/sim/collect.ts';
import { createLoop } from '../../src/sim/loop.ts';
import { worldPolicy } from '../../src/sim/policy-files.ts';
import { p95Bar } from '../../src/sim/slow-bar.ts';
import { createTrials } from '../../src/sim/trials.ts';
import { smallWorld } from './world-kit.ts';

test('a loop without evidence changes nothing, and refuses a detector that does not exist', () => {
  const trials = createTrials();
  const input = {
    loaded: worldPolicy(smallWorld().scenario),
    collector: createCollector(trials),
    trials,
    run: 'r',
    window_hours: 24,
    person: { approves: true, after_minutes: 0 },
  };
  const loop = createLoop(input);
  const before = loop.inForce();
  expect(loop.tick(40 * 86_400_000).findings).toEqual([]);
  expect(loop.inForce()).toEqual(before);
  expect([loop.rows(), loop.plans(), loop.experiments()]).toEqual([[], [], []]);
  expect(() => createLoop({ ...input, detectors: ['unheard-of'] })).toThrow('no detector');
});

test('the bar of slow is above p95 by a quarter or 50 ms, and needs 72 latencies', () => {
  const even = Array.from({ length: 101 }, (_, index) => index * 10);
  expect(p95Bar(even)).toBeCloseTo(950 * 1.25);
  expect(p95Bar(even.map((value) => value / 100))).toBeCloseTo(59.5);
  expect(p95Bar(even.slice(0, 71))).toBeNull();
});
