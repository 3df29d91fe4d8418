import { expect, test } from 'vitest';
import type { SegmentObservation } from '../../../src/core/observation.ts';
import { createRandom } from '../../../src/core/series/random.ts';
import { definition } from '../../../src/oracle/detectors/segment-scan.ts';
import { cell, detectWith, observed, toldOf } from '../observation.ts';

const inCategory = (category: string, events: number, units: number) =>
  cell(null, 'error', events, units, { category });
const CATEGORIES = Array.from({ length: 30 }, (_, index) => `c${index}`);
const PAST = CATEGORIES.map((category) => inCategory(category, 140, 7000));

function scan(halves: readonly [readonly SegmentObservation[], readonly SegmentObservation[]]) {
  const whole = halves[0].map((left, index) => {
    const right = halves[1][index] as SegmentObservation;
    const [one, other] = [left.rates.error, right.rates.error];
    const events = (one?.events ?? 0) + (other?.events ?? 0);
    return inCategory(left.segment.category ?? '', events, (one?.units ?? 0) + (other?.units ?? 0));
  });
  return detectWith(definition, observed(whole, PAST, { halves }));
}

test('segment-scan finds the one category of thirty that fails, shown by both halves', () => {
  const half = () => CATEGORIES.map((name) => inCategory(name, name === 'c7' ? 45 : 10, 500));
  const result = scan([half(), half()]);
  expect(toldOf(result)).toEqual(['c7 error investigate']);
  expect(result.findings[0]).toMatchObject({ confirmed: true, n: 90, units: 1000 });
  expect(result.findings[0]?.text).toMatch(
    /had no part in picking it out, it is 9\.0 %\. Both halves/,
  );
});

test('segment-scan drops what looks worst in one half and is ordinary in the other', () => {
  const left = CATEGORIES.map((name) => inCategory(name, name === 'c7' ? 60 : 10, 500));
  const right = CATEGORIES.map((name) => inCategory(name, 10, 500));
  expect(scan([left, right]).findings).toEqual([]);
});

test('segment-scan tells nothing of noise in 60 of 60 scans of thirty categories', () => {
  const random = createRandom(23);
  const draw = (): number =>
    Array.from({ length: 500 }, () => random.next()).filter((one) => one < 0.02).length;
  const half = () => CATEGORIES.map((name) => inCategory(name, draw(), 500));
  const told = Array.from({ length: 60 }, () => scan([half(), half()]).findings.length);
  expect(told.reduce((sum, one) => sum + one, 0)).toBe(0);
});

test('segment-scan looks at signals without a detector of their own, of whole agents too', () => {
  const refused = (events: number, units: number) => cell(null, 'refusal', events, units);
  const halves = [[refused(60, 500)], [refused(55, 500)]] as const;
  const result = detectWith(
    definition,
    observed([refused(115, 1000)], [refused(140, 7000)], { halves }),
  );
  expect(toldOf(result)).toEqual(['agent refusal investigate']);
});
