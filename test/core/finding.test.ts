import { expect, test } from 'vitest';
import { harmOf } from '../../src/core/finding.ts';
import { METRICS_OF_HARM } from '../../src/core/observation.ts';

test('harmOf maps each metric of harm to itself, and what no canary judges to none', () => {
  expect(METRICS_OF_HARM.map(harmOf)).toEqual([...METRICS_OF_HARM]);
  expect(harmOf('latency_ms')).toBe('slow');
  expect(harmOf('complaint')).toBe('dissatisfied');
  expect([harmOf('cost_usd'), harmOf('load'), harmOf('retry')]).toEqual([null, null, null]);
});
