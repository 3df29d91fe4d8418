import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changePoints } from '../../../src/core/series/change-points.ts';
import { pelt } from '../../../src/core/series/pelt.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import { costOf, FAMILIES, fitSegment, sumsOf } from '../../../src/core/series/segment-costs.ts';
import { changeF1, changeWorld, covering } from './change-worlds.ts';

/** Every segmentation tried: what PELT must agree with. */
function exhaustive(rows: number, cost: (from: number, to: number) => number, penalty: number) {
  const best = [0];
  for (let to = 1; to <= rows; to += 1) {
    let least = Number.POSITIVE_INFINITY;
    for (let from = 0; from < to; from += 1) {
      if (to - from < 2) continue;
      least = Math.min(least, (best[from] as number) + cost(from, to) + (from > 0 ? penalty : 0));
    }
    best.push(least);
  }
  return best[rows] as number;
}

test('pelt finds a segmentation as cheap as the best of all', () => {
  const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
    minLength: 4,
    maxLength: 40,
  });
  fc.assert(
    fc.property(values, fc.double({ min: 0.5, max: 30, noNaN: true }), (list, penalty) => {
      const sums = sumsOf(Float64Array.from(list));
      const family = FAMILIES[0];
      if (!family) throw new Error('no family');
      const cost = costOf(sums, family, 1, 0);
      const changes = pelt({ length: list.length, cost, penalty, segment_min: 2 });
      const bounds = [0, ...changes, list.length];
      const total = bounds
        .slice(1)
        .reduce((sum, to, index) => sum + cost(bounds[index] as number, to), 0);
      const found = total + penalty * changes.length;
      expect(found).toBeCloseTo(exhaustive(list.length, cost, penalty), 6);
    }),
    { numRuns: 200 },
  );
});

test('fitSegment is least squares: a line is fitted without rest, wherever it lies', () => {
  const values = Float64Array.from({ length: 50 }, (_, row) => 3 - 0.5 * row);
  const fit = fitSegment(sumsOf(values), 10, 30, true);
  expect(fit.slope).toBeCloseTo(-0.5, 9);
  expect(fit.squares).toBeCloseTo(0, 6);
});

const MUST: readonly (readonly [string, number])[] = [
  ['nothing', 0.97],
  ['heavy', 0.95],
  ['shifts', 0.93],
  ['shifts-outliers', 0.85],
  ['shifts-correlated', 0.93],
  ['variances', 0.8],
  ['trend-shift', 0.93],
  ['seasonal', 0.9],
  ['short', 0.8],
  ['on-off', 0.85],
];
// The searches take a second or two; the rest is for a machine that is shared.
test.each(MUST)(
  'changePoints in two worlds of kind %s has F1 and covering above %f',
  (kind, must) => {
    const worlds = [101, 102].map((seed) => changeWorld(kind, seed));
    const mean = (of: (found: readonly number[], index: number) => number): number =>
      worlds.reduce((sum, { values }, index) => sum + of(changePoints(values), index), 0) / 2;
    const f1 = mean((found, index) => changeF1(worlds[index]?.changes ?? [], found));
    const cover = mean((found, index) =>
      covering(worlds[index]?.changes ?? [], found, worlds[index]?.values.length ?? 1),
    );
    expect(f1).toBeGreaterThan(must);
    expect(cover).toBeGreaterThan(must);
  },
  120_000,
);

test('changePoints gives ascending places inside the series, whatever the values', () => {
  const values = fc.array(
    fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.constantFrom(0, 1, 1e300, null),
      fc.integer({ min: 0, max: 3 }),
    ),
    { maxLength: 120 },
  );
  fc.assert(
    fc.property(values, (list) => {
      const found = changePoints(list);
      let before = 0;
      for (const place of found) {
        expect(place).toBeGreaterThan(before);
        expect(place).toBeLessThan(list.length);
        expect(list[place]).not.toBeNull();
        before = place;
      }
    }),
    { numRuns: 60 },
  );
});

test('changePoints does not depend on the unit of the values', () => {
  for (const kind of ['shifts', 'bends', 'seasonal']) {
    const { values } = changeWorld(kind, 7);
    const moved = values.map((one) => one * 1024 + 4096);
    expect(changePoints(moved)).toEqual(changePoints(values));
  }
});

test('changePoints keeps places when rows are missing', () => {
  const random = createRandom(9);
  const values = Array.from({ length: 200 }, (_, row) =>
    row % 7 === 3 ? null : random.normal() + (row >= 120 ? 6 : 0),
  );
  const [place, ...more] = changePoints(values);
  expect(more).toEqual([]);
  expect(Math.abs((place ?? 0) - 120)).toBeLessThanOrEqual(1);
});

test('changePoints of 40,000 rows is right to the row or two', () => {
  const random = createRandom(2);
  const values = Array.from(
    { length: 40_000 },
    (_, row) => random.normal() + (row >= 13_333 ? 2 : 0) - (row >= 31_234 ? 3 : 0),
  );
  const found = changePoints(values);
  expect(found.length).toBe(2);
  expect(Math.abs((found[0] ?? 0) - 13_333)).toBeLessThanOrEqual(5);
  expect(Math.abs((found[1] ?? 0) - 31_234)).toBeLessThanOrEqual(5);
});

test('changePoints finds in blocks what it finds row by row, to within a block', () => {
  const random = createRandom(11);
  const values = Array.from({ length: 6000 }, (_, row) => {
    const level = row < 2321 ? 10 : row < 4365 ? 12 : 9;
    const season = 3 * Math.sin((2 * Math.PI * row) / 24);
    // A row without a value is no row of a block.
    return row % 97 === 0 ? null : level + season + 0.7 * random.normal();
  });
  const found = changePoints(values, { rows_max: 1200 });
  expect(found).toHaveLength(2);
  [2321, 4365].forEach((place, index) => {
    expect(Math.abs((found[index] ?? 0) - place)).toBeLessThanOrEqual(6);
  });
});

test('changePoints finds nothing in blocks of noise and of a season', () => {
  const random = createRandom(12);
  const noise = Array.from({ length: 12_000 }, () => random.normal());
  expect(changePoints(noise, { rows_max: 2000 })).toEqual([]);
  const season = noise.map((one, row) => one + 5 * Math.sin((2 * Math.PI * row) / 7));
  expect(changePoints(season, { rows_max: 2000 })).toEqual([]);
});
