import { expect, test } from 'vitest';
import { definition } from '../../../src/oracle/detectors/error-class.ts';
import { cell, detectWith, observed, toldOf } from '../observation.ts';

const failing = (calls: number, errors_by_class: Record<string, number>, users = calls) =>
  cell(null, 'error', 0, calls, { calls, users, errors_by_class });
const detect = (observation: Parameters<typeof detectWith>[1]) =>
  detectWith(definition, observation);

test('error-class names the class that grew, and not the one that is always there', () => {
  const past = [failing(14000, { upstream_timeout: 140, rate_limited: 7 })];
  const result = detect(
    observed([failing(2000, { upstream_timeout: 20, rate_limited: 60 })], past),
  );
  expect(toldOf(result)).toEqual(['agent error investigate']);
  expect(result.findings[0]?.text).toBe(
    '60 of 2,000 calls of agent duo met rate_limited: 3.0 % (95 % interval 2.3 % to 3.8 %), ' +
      'against 0.1 % in its own seven days before. It is 75.0 % of all failed attempts.',
  );
});

test('error-class does not take one user’s loop for a fault of the target', () => {
  const past = [failing(14000, { rate_limited: 70 }, 7000)];
  const looping = failing(2000, { rate_limited: 40 }, 20);
  expect(detect(observed([looping], past)).findings).toEqual([]);
  expect(detect(observed([failing(2000, { rate_limited: 40 })], past)).findings).toHaveLength(1);
});

test('error-class needs a past and ten calls', () => {
  expect(detect(observed([failing(2000, { rate_limited: 60 })])).findings).toEqual([]);
  const past = [failing(14000, {})];
  expect(detect(observed([failing(2000, { rate_limited: 9 })], past)).findings).toEqual([]);
});
