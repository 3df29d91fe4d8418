import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createArFilter } from '../../../src/core/series/ar-filter.ts';
import { createEts, fitGains, GAINS_TRIED } from '../../../src/core/series/ets.ts';
import { evidenceOf } from '../../../src/core/series/evidence.ts';
import { createHeritage } from '../../../src/core/series/heritage.ts';
import { createIsolationForest } from '../../../src/core/series/isolation-forest.ts';
import { normalCdf, normalTail } from '../../../src/core/series/normal.ts';
import { lnGamma, madSigma, median } from '../../../src/core/series/numbers.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import { findSeason } from '../../../src/core/series/season.ts';
import { seasonalResiduals } from '../../../src/core/series/seasonal-residual.ts';
import { mstl } from '../../../src/core/series/stl.ts';
import { createTail } from '../../../src/core/series/tail.ts';

const seasonal = (rows: number, period: number, size: number, seed: number): Float64Array => {
  const random = createRandom(seed);
  return Float64Array.from(
    { length: rows },
    (_, row) =>
      10 + 0.01 * row + 3 * Math.sin((2 * Math.PI * row) / period) + size * random.normal(),
  );
};

test('findSeason finds the period from the rows alone, and none in noise or in a walk', () => {
  expect(findSeason(seasonal(400, 24, 0.8, 1))?.period).toBe(24);
  expect(findSeason(seasonal(120, 12, 0.8, 2))?.period).toBe(12);
  const random = createRandom(3);
  expect(findSeason(Array.from({ length: 500 }, () => random.normal()))).toBeNull();
  expect(findSeason([1, 2, 3])).toBeNull();
});

test('mstl splits a series into parts that add up to it, and the season is the one put in', () => {
  const values = seasonal(288, 24, 0.2, 4);
  const { trend, seasonal: parts, remainder } = mstl(values, [24]);
  const season = parts[0] as Float64Array;
  values.forEach((value, row) => {
    const sum = (trend[row] ?? 0) + (season[row] ?? 0) + (remainder[row] ?? 0);
    expect(sum).toBeCloseTo(value, 9);
  });
  const off = season.map((value, row) => value - 3 * Math.sin((2 * Math.PI * row) / 24));
  expect(Math.max(...off.map(Math.abs))).toBeLessThan(0.6);
  expect(mstl([1, 2, 3], [24]).seasonal).toEqual([]);
});

test('seasonalResiduals are null before anything is known, then about standard', () => {
  const residuals = seasonalResiduals([...seasonal(600, 24, 0.5, 5), null, 99]);
  expect(residuals.slice(0, 29).every((one) => one === null)).toBe(true);
  expect(residuals[600]).toBeNull();
  expect(residuals[601]).toBeGreaterThan(20);
  const late = residuals.slice(300, 600).map((one) => one ?? Number.NaN);
  expect(madSigma(late, median(late))).toBeGreaterThan(0.6);
  expect(madSigma(late, median(late))).toBeLessThan(1.5);
});

test('createIsolationForest scores alike for a seed, and low what has been seen', () => {
  const values = [...seasonal(900, 24, 0.5, 6)];
  const scored = () => {
    const detector = createIsolationForest({ seed: 4 });
    return values.map((value) => detector.push(value).score);
  };
  const scores = scored();
  expect(scores).toEqual(scored());
  expect(scores.filter((score) => score > 0.5).length).toBeLessThan(9);
});

test('createTail gives p-values that are right in the bulk and in the tail of a normal', () => {
  const random = createRandom(7);
  const tail = createTail();
  for (let row = 0; row < 2000; row += 1) tail.push(Math.abs(random.normal()));
  expect(tail.surprise(1.96)).toBeCloseTo(-Math.log10(0.05), 1);
  expect(Math.abs(tail.surprise(3.29) + Math.log10(0.001))).toBeLessThan(0.5);
  expect(tail.surprise(8)).toBeGreaterThan(4);
  expect(createTail().surprise(8)).toBe(0);
});

test('evidenceOf falls as p rises, and its mean over p is 1', () => {
  const cells = 200_000;
  let sum = 0;
  for (let cell = 0; cell < cells; cell += 1) sum += evidenceOf(-Math.log10((cell + 0.5) / cells));
  expect(sum / cells).toBeGreaterThan(0.85);
  expect(sum / cells).toBeLessThanOrEqual(1.01);
  expect(evidenceOf(6)).toBeGreaterThan(evidenceOf(4));
});

test('createArFilter predicts an autoregression nearly as well as its own coefficient does', () => {
  const random = createRandom(8);
  const filter = createArFilter();
  let [value, own, known] = [0, 0, 0];
  for (let row = 0; row < 3000; row += 1) {
    const next = 0.8 * value + random.normal();
    const forecast = filter.forecast();
    if (row > 500 && forecast !== null) {
      own += (next - forecast) ** 2;
      known += (next - 0.8 * value) ** 2;
    }
    filter.push(next);
    value = next;
  }
  expect(own / known).toBeLessThan(1.05);
});

test('createHeritage lets the old judge speak until the new one has learned', () => {
  let made = 0;
  const heritage = createHeritage(() => {
    made += 1;
    const name = made;
    return () => name;
  });
  expect(heritage.push(0)).toBe(1);
  heritage.renew();
  const said = Array.from({ length: 90 }, () => heritage.push(0));
  expect(said.slice(0, 80).every((name) => name === 1)).toBe(true);
  expect(said.slice(80).every((name) => name === 2)).toBe(true);
});

test('normalCdf and lnGamma have the digits of the tables', () => {
  expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 12);
  expect(normalTail(6) / 9.865876450376946e-10).toBeCloseTo(1, 9);
  expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 9);
  expect(lnGamma(10)).toBeCloseTo(Math.log(362_880), 9);
  fc.assert(
    fc.property(fc.double({ min: -8, max: 8, noNaN: true }), (z) => {
      expect(normalCdf(z) + normalCdf(-z)).toBeCloseTo(1, 12);
    }),
  );
});

test('createEts follows a shift within rows, and an outlier moves it by 2.5 σ at most', () => {
  const start = { level: 0, slope: 0, seasonal: [], sigma: 1 };
  const gains = { level: 0.3, slope: 0, season: 0.1, damping: 0 };
  const model = createEts(start, gains);
  expect(model.push(1000)).toBe(1000);
  expect(model.forecast()).toBeCloseTo(0.75, 9);
  expect(model.sigma()).toBeLessThan(1.2);
  for (let row = 0; row < 40; row += 1) model.push(8);
  expect(model.forecast()).toBeCloseTo(8, 1);
  expect(model.push(null)).toBeNull();
});

test('fitGains takes a slow level for noise and a fast one for a walk', () => {
  const random = createRandom(12);
  const noise = Array.from({ length: 300 }, () => random.normal());
  let level = 0;
  const walk = noise.map((step) => {
    level += step;
    return level;
  });
  const start = { level: 0, slope: 0, seasonal: [], sigma: 1 };
  expect(GAINS_TRIED).toContain(fitGains(noise, start));
  expect(fitGains(noise, start).level).toBeLessThanOrEqual(0.08);
  expect(fitGains(walk, start).level).toBeGreaterThanOrEqual(0.7);
});
