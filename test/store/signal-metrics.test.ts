import { expect, test } from 'vitest';
import type { CallEvent, JournalRecord } from '../../src/core/event.ts';
import type { SignalMetric } from '../../src/core/observation.ts';
import { createObserver } from '../../src/store/observe.ts';
import { callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { describeStores } from '../kit/store-suite.ts';

/** Of those that a model tells there is apply-follow-ups.test.ts. */
type Observed = Exclude<SignalMetric, `model_${string}`>;
type Shown = (call: CallEvent) => readonly JournalRecord[];

const own =
  (over: Partial<CallEvent>): Shown =>
  (call) => [{ ...call, ...over }];
/** What a later call says of this one. */
const later =
  (relation: 'turn' | 'regeneration', follow_up?: Partial<CallEvent['follow_up']>): Shown =>
  (call) => [
    call,
    {
      ...call,
      id: `${call.id}-later`,
      parent: call.id,
      relation,
      ...(follow_up && { follow_up: { class: 'none', ...follow_up } }),
    },
  ];
const said =
  (signal: 'complaint' | 'accepted'): Shown =>
  (call) => [
    call,
    feedbackEvent(`f-${call.id}`, { call: call.id, rater: call.unit, signal, value: 1 }),
  ];

/** A unit that shows each; a metric that is added to the list must be shown here as well. */
const SHOWN: Readonly<Record<Observed, Shown>> = {
  retry: own({ relation: 'retry' }),
  regeneration: later('regeneration'),
  reask: later('turn', { reask: true }),
  correction: later('turn', { correction: true }),
  complaint: said('complaint'),
  accepted: said('accepted'),
  tool_failure: later('turn', { tool_failures: 2 }),
  schema_violation: own({ signals: { schema: 'required' } }),
  refusal: own({ signals: { refusal: 'en' } }),
  language_mismatch: own({ signals: { language: ['de', 'en'] } }),
  length_outlier: own({ signals: { length: 'long' } }),
  wrong_answer: later('turn', { class: 'wrong_answer' }),
  needs_clarification: later('turn', { class: 'needs_clarification' }),
  wants_different: later('turn', { class: 'wants_different' }),
  satisfied: later('turn', { class: 'satisfied' }),
};
const METRICS = Object.keys(SHOWN) as Observed[];

describeStores('signals in the rollups', ({ store, apply }) => {
  const rates = async () => {
    const window = { from_ms: NOON_MS, to_ms: NOON_MS + 3_600_000 };
    const { segments } = await createObserver(store).observe({ window, event_limit: 10 });
    return segments[0]?.rates;
  };
  const shownBy = (unit: string, metric: Observed, times: number, over: Partial<CallEvent>) =>
    Array.from({ length: times }, (_, time) =>
      SHOWN[metric](callEvent(`${unit}-${time}`, { unit, ...over })),
    ).flat();

  test('each signal counts once a unit, whatever the unit shows and how often', async () => {
    await apply(...METRICS.flatMap((metric) => shownBy(`u:${metric}`, metric, 3, {})));
    const one = { units: METRICS.length, events: 1 };
    expect(await rates()).toEqual({
      ...Object.fromEntries(METRICS.map((metric) => [metric, one])),
      // Of those who rated: the one who complained.
      complaint: { units: 1, events: 1 },
      dissatisfied: { units: 1, events: 1 },
      error: { ...one, events: 0 },
      abort: { ...one, events: 0 },
    });
  });

  test('no signal counts that a canary, a holdout, the oracle or a probe has shown', async () => {
    const others: readonly Partial<CallEvent>[] = [
      { experiment: 'e', arm: 'canary', share: 0.1 },
      { arm: 'holdout' },
      { origin: 'oracle' },
      { origin: 'probe' },
      { origin: 'regression' },
    ];
    await apply(
      callEvent('plain', { unit: 'u:plain' }),
      ...others.flatMap((over, which) =>
        METRICS.flatMap((metric) => shownBy(`u:${metric}-${which}`, metric, 1, over)),
      ),
    );
    const none = { units: 1, events: 0 };
    expect(await rates()).toEqual({ error: none, abort: none });
  });
});
