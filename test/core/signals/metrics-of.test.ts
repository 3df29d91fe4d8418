import { expect, test } from 'vitest';
import type { CallEvent } from '../../../src/core/event.ts';
import { signalMetricsOf } from '../../../src/core/signals/metrics-of.ts';
import { callEvent } from '../../kit/events.ts';

const NOTHING = { own: [], parent: [] };

function metricsOf(fields: Partial<CallEvent>) {
  return signalMetricsOf(callEvent('call_2', fields));
}

test('signalMetricsOf finds nothing in a plain call', () => {
  expect(metricsOf({})).toEqual(NOTHING);
  expect(metricsOf({ signals: { chars: 12, finish: 'truncated' } })).toEqual(NOTHING);
});

test('signalMetricsOf lays what was seen of an answer to its own unit', () => {
  const signals = {
    schema: 'type',
    refusal: 'en',
    language: ['de', 'en'],
    length: 'long',
  } as const;
  expect(metricsOf({ signals })).toEqual({
    own: ['schema_violation', 'refusal', 'language_mismatch', 'length_outlier'],
    parent: [],
  });
});

test('signalMetricsOf lays what the next turn says to the earlier call', () => {
  const follow_up = {
    class: 'wrong_answer',
    correction: true,
    reask: true,
    tool_failures: 2,
  } as const;
  const turn = { parent: 'call_1', relation: 'turn', follow_up } as const;
  const parent = ['reask', 'correction', 'tool_failure', 'wrong_answer'];
  expect(metricsOf(turn)).toEqual({ own: [], parent });
  expect(metricsOf({ ...turn, parent: null })).toEqual(NOTHING);
  expect(metricsOf({ ...turn, follow_up: { class: 'none', tool_failures: 0 } })).toEqual(NOTHING);
});

test('signalMetricsOf lays a retry to the call that failed, or to its own unit', () => {
  expect(metricsOf({ relation: 'retry', parent: 'call_1' }).parent).toEqual(['retry']);
  expect(metricsOf({ relation: 'retry', parent: null }).own).toEqual(['retry']);
  expect(metricsOf({ relation: 'regeneration', parent: 'call_1' })).toEqual({
    own: [],
    parent: ['regeneration'],
  });
});

test('signalMetricsOf learns nothing from calls that no client made', () => {
  for (const origin of ['oracle', 'probe', 'regression'] as const) {
    const fields = { origin, relation: 'retry', signals: { refusal: 'en' } } as const;
    expect(metricsOf(fields)).toEqual(NOTHING);
  }
});
