import { expect, test } from 'vitest';
import { policyWorth, type WorthRow } from '../../src/core/routing/policy-worth.ts';
import { createRandom } from '../../src/core/routing/random.ts';

interface World {
  readonly targets: number;
  readonly floor: number;
  readonly units: number;
  /** What a target earns at a kind of call; kinds come alike often. */
  readonly success: (target: number, kind: number) => number;
}

/** A router that goes, nine times in ten or more, by what each target earned at the call's kind. */
function routed({ targets, floor, units, success }: World, seed: string): readonly WorthRow[] {
  const random = createRandom(seed);
  const cells = Array.from({ length: 2 * targets }, () => ({ n: 0, sum: 0 }));
  return Array.from({ length: units }, (_, at): WorthRow => {
    const kind = random.uniform() < 0.5 ? 0 : 1;
    const hoped = Array.from({ length: targets }, (__, k) => {
      const { n, sum } = cells[2 * k + kind] as (typeof cells)[number];
      return (sum + 1) / (n + 2) + (0.3 * random.normal()) / Math.sqrt(n + 1);
    });
    const first = hoped.indexOf(Math.max(...hoped));
    const most = 1 - floor * (targets - 1);
    let chosen = 0;
    for (let left = random.uniform(); chosen < targets - 1; chosen += 1) {
      left -= chosen === first ? most : floor;
      if (left < 0) break;
    }
    const reward = Number(random.uniform() < success(chosen, kind));
    const cell = cells[2 * chosen + kind] as (typeof cells)[number];
    cell.n += 1;
    cell.sum += reward;
    const probability = chosen === first ? most : floor;
    return { unit: `u:${at}`, category: '', target: `t${chosen}`, reward, probability };
  });
}

/** Units until something is said at a look every hundred, or null. */
function toldAt(world: World, seed: string): { readonly at: number; readonly what: string } | null {
  const names = Array.from({ length: world.targets }, (_, k) => `t${k}`);
  const rows = routed(world, seed);
  for (let at = 200; at <= rows.length; at += 100) {
    const { verdict } = policyWorth(rows.slice(0, at), names, 0.05);
    if (verdict !== null) return { at, what: verdict };
  }
  return null;
}

/** The figures of docs/routing.md, “Does it pay?”. */
test.each<[number, number, number]>([
  [2, 0.02, 3000],
  [3, 0.1, 3000],
  [5, 0.02, 4000],
])(
  'of %i equal targets (floor %f) a router is told nothing in 95 of 100 runs',
  (targets, floor, units) => {
    const runs = Array.from({ length: 200 }, (_, seed) =>
      toldAt({ targets, floor, units, success: () => 0.5 }, `equal ${targets} ${seed}`),
    );
    const told = runs.filter((one) => one !== null).length;
    console.info({ targets, floor, told });
    expect(told).toBeLessThanOrEqual(10);
  },
);

/** Half the kinds' calls are each target's to answer well: 0.15 more than always one of them. */
const split = (target: number, kind: number): number => (target % 2 === kind ? 0.8 : 0.5);
const alike = (target: number): number => (target === 0 ? 0.8 : 0.4);

/** With a floor of 2 % a call counts fifty times: what is seldom asked tells little and late. */
test.each<[string, number, number, number, typeof split]>([
  ['context', 2, 0.02, 15, split],
  ['context', 2, 0.05, 45, split],
  ['context', 4, 0.05, 30, split],
  ['single', 2, 0.2, 45, alike],
])('%s, %i targets, floor %f: what is true is told', (what, targets, floor, least, success) => {
  const runs = Array.from({ length: 50 }, (_, seed) =>
    toldAt({ targets, floor, units: 6000, success }, `${what} ${targets} ${seed}`),
  );
  const right = runs.filter((one) => one?.what === what).map((one) => one?.at ?? 0);
  right.sort((left, next) => left - next);
  const [median, late] = [0.5, 0.9].map((share) => right[Math.floor(share * right.length)]);
  console.info({ what, targets, floor, told: right.length, median, late });
  expect(right.length).toBeGreaterThanOrEqual(least);
});
