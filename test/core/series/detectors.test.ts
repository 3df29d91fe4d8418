import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALARM_SCORE, type SeriesDetector } from '../../../src/core/series/detector.ts';
import { SERIES_DETECTORS } from '../../../src/core/series/detectors.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import { anomalyWorld } from './anomaly-worlds.ts';

const names = Object.keys(SERIES_DETECTORS);
const create = (name: string, seed = 1) => {
  const make = SERIES_DETECTORS[name];
  if (!make) throw new Error(name);
  return make({ seed });
};
/** One step a value. */
const stepsOf = (values: readonly (number | null)[], detector: SeriesDetector) =>
  values.map((value) => detector.push(value));
const rows = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.double({ min: -100, max: 100, noNaN: true }) },
    { weight: 2, arbitrary: fc.constantFrom(0, 1e12, -1e12, 5e-324) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  { maxLength: 250 },
);

describe.each(names)('%s', (name) => {
  test('detector answers a row from the rows up to it: what follows changes nothing', () => {
    fc.assert(
      fc.property(rows, fc.nat(250), (values, cut) => {
        const whole = stepsOf(values, create(name));
        const part = stepsOf(values.slice(0, cut), create(name));
        expect(part).toEqual(whole.slice(0, cut));
      }),
      { numRuns: 20 },
    );
  });

  test('detector gives scores in [0, 1], alarms from 0.5 on, and the same for a seed', () => {
    fc.assert(
      fc.property(rows, (values) => {
        const steps = stepsOf(values, create(name));
        for (const { score, alarm } of steps) {
          expect(score >= 0 && score <= 1).toBe(true);
          if (alarm) expect(score).toBeGreaterThanOrEqual(ALARM_SCORE);
        }
        expect(stepsOf(values, create(name))).toEqual(steps);
      }),
      { numRuns: 20 },
    );
  });

  test('detector says the same of a series that is shifted and scaled by a power of two', () => {
    const { values } = anomalyWorld('correlated', 'shift', 3);
    const plain = stepsOf(values.slice(0, 900), create(name));
    const moved = stepsOf(
      values.slice(0, 900).map((one) => one * 64 + 256),
      create(name),
    );
    const off = plain.map((step, row) => Math.abs(step.score - (moved[row]?.score ?? 2)));
    expect(off.filter((gap) => gap > 0.02).length).toBeLessThan(9);
  });

  test('detector is quiet on 2,000 rows of noise: at most 4 alarms', () => {
    const random = createRandom(17);
    const values = Array.from({ length: 2000 }, () => random.normal());
    const steps = stepsOf(values, create(name));
    expect(steps.filter(({ alarm }) => alarm).length).toBeLessThanOrEqual(name === 'cusum' ? 8 : 4);
  });
});

test.each([
  ['default', 'spike', 2],
  ['default', 'shift', 40],
  ['seasonal-residual', 'spike', 2],
  ['cusum', 'shift', 10],
  ['bocpd', 'shift', 15],
  ['change-point', 'shift', 15],
  ['isolation-forest', 'spike', 3],
])('%s finds the first %s in noise within %i rows', (name, oddity, delay_max) => {
  const { values, windows } = anomalyWorld('white', oddity, 3);
  const start = windows[0]?.[0] ?? 0;
  const alarms = stepsOf(values, create(name)).flatMap(({ alarm }, row) => (alarm ? [row] : []));
  const first = alarms.find((row) => row >= start);
  expect(first).toBeDefined();
  expect((first ?? 1e9) - start).toBeLessThanOrEqual(delay_max);
});
