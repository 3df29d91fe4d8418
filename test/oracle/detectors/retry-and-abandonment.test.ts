import { expect, test } from 'vitest';
import { definition } from '../../../src/oracle/detectors/retry-and-abandonment.ts';
import { cell, detectWith, observed, toldOf } from '../observation.ts';

const detect = (observation: Parameters<typeof detectWith>[1]) =>
  detectWith(definition, observation);

test('retry-and-abandonment finds that more units give up, and never acts on it alone', () => {
  const result = detect(
    observed([cell(null, 'abort', 90, 1000)], [cell(null, 'abort', 210, 7000)]),
  );
  expect(toldOf(result)).toEqual(['agent abort investigate']);
  expect(result.findings[0]?.text).toMatch(
    /^90 of 1,000 units of agent duo gave up waiting: 9\.0 %/,
  );
});

test('retry-and-abandonment compares targets with their past and not with each other', () => {
  const past = [cell('demo', 'reask', 900, 6000), cell('mini', 'reask', 60, 6000)];
  const now = [cell('demo', 'reask', 150, 1000), cell('mini', 'reask', 40, 1000)];
  expect(toldOf(detect(observed(now, past)))).toEqual(['mini reask investigate']);
});

test('retry-and-abandonment says that it has no yardstick where the past is missing', () => {
  const { findings, insufficient } = detect(observed([cell(null, 'retry', 30, 100)]));
  expect(findings).toEqual([]);
  expect(insufficient).toMatchObject([{ metric: 'retry', units: 0, required: 20 }]);
});
