import { describe, expect, test } from 'vitest';
import { policyWorth, type WorthRow } from '../../../src/core/routing/policy-worth.ts';
import { createRandom } from '../../../src/core/routing/random.ts';

const TARGETS = ['a', 'b'];
const DELTA = 0.05;

/**
 * Calls of two kinds that a router learns to tell apart, by what each target earned at the kind so
 * far; each target is asked at least `floor` of the time. Success by kind and target is `means`.
 */
function routed(
  seed: number,
  means: Readonly<Record<string, readonly [number, number]>>,
  { calls = 2000, floor = 0.05, looks = true, by = 'kind' } = {},
): readonly WorthRow[] {
  const random = createRandom(seed);
  const kinds = Object.keys(means);
  const earned = new Map<string, { n: number; sum: number }>();
  return Array.from({ length: calls }, (_, at): WorthRow => {
    const kind = kinds[Math.floor(random.uniform() * kinds.length)] as string;
    const cell = looks ? kind : by;
    const value = (k: number): number => {
      const { n, sum } = earned.get(`${cell}${k}`) ?? { n: 0, sum: 0 };
      return (sum + 1) / (n + 2);
    };
    const first = value(0) >= value(1) ? 1 - floor : floor;
    const k = random.uniform() < first ? 0 : 1;
    const reward = Number(random.uniform() < (means[kind]?.[k] ?? 0));
    const known = earned.get(`${cell}${k}`) ?? { n: 0, sum: 0 };
    earned.set(`${cell}${k}`, { n: known.n + 1, sum: known.sum + reward });
    const probability = k === 0 ? first : 1 - first;
    return {
      unit: `u:${at}`,
      category: '',
      target: TARGETS[k] as string,
      reward,
      probability,
    };
  });
}

const SAME = { x: [0.5, 0.5], y: [0.5, 0.5] } as const;
const DIFFER = { x: [0.9, 0.3], y: [0.3, 0.9] } as const;
const runs = (count: number, of: (seed: number) => boolean): number =>
  Array.from({ length: count }, (_, seed) => of(seed + 1)).filter(Boolean).length;

describe('policyWorth', () => {
  test('says nothing of targets that are alike in 95 of 100 runs, looked at all the time', () => {
    const wrong = runs(60, (seed) => {
      const rows = routed(seed, SAME, { calls: 1500 });
      return Array.from({ length: 10 }, (_, look) => rows.slice(0, 150 * (look + 1))).some(
        (seen) => policyWorth(seen, TARGETS, DELTA).verdict !== null,
      );
    });
    expect(wrong).toBeLessThanOrEqual(3);
  });

  test('has the true difference in its intervals, while the router learns', () => {
    // Always a earns 0.6; a router that knows the kinds 0.9 less the floor's loss, 0.87.
    const missed = runs(60, (seed) => {
      const { over } = policyWorth(routed(seed, DIFFER), TARGETS, DELTA);
      return over.some(
        ({ interval }) => interval !== null && !(interval[0] < 0.27 && interval[1] > 0.2),
      );
    });
    expect(missed).toBeLessThanOrEqual(6);
  });

  test('proves that context pays where kinds differ, and tells by how much', () => {
    const found = runs(30, (seed) => {
      const { verdict, target, over, units } = policyWorth(routed(seed, DIFFER), TARGETS, DELTA);
      expect([target, units, over.length]).toEqual([null, 2000, 2]);
      return verdict === 'context';
    });
    expect(found).toBeGreaterThanOrEqual(27);
  });

  test('proves that one target is enough where the router loses by asking others', () => {
    const one = { x: [0.8, 0.2], y: [0.8, 0.2] } as const;
    const found = runs(30, (seed) => {
      const rows = routed(seed, one, { floor: 0.3, calls: 3000 });
      const { verdict, target } = policyWorth(rows, TARGETS, DELTA);
      return verdict === 'single' && target === 'a';
    });
    expect(found).toBeGreaterThanOrEqual(27);
  });

  test('leaves out what has no probability, and a unit’s calls after its first', () => {
    const rows = routed(1, SAME, { calls: 500 });
    const unknown = rows.map((row) => ({ ...row, probability: null }));
    expect(policyWorth(unknown, TARGETS, DELTA)).toMatchObject({ units: 0, verdict: null });
    const loud = rows.map((row) => ({ ...row, unit: 'u:one' }));
    expect(policyWorth(loud, TARGETS, DELTA).units).toBe(1);
    const few = policyWorth(rows.slice(0, 150), TARGETS, DELTA);
    expect(few.over.map(({ interval, e }) => [interval, e])).toEqual([
      [null, 1],
      [null, 1],
    ]);
    expect(policyWorth([], [], DELTA)).toEqual({ units: 0, over: [], verdict: null, target: null });
  });
});
