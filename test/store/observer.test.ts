import { expect, test } from 'vitest';
import type { CallEvent } from '../../src/core/event.ts';
import type { SegmentObservation } from '../../src/core/observation.ts';
import { sketchQuantile } from '../../src/core/sketch.ts';
import { unitFraction } from '../../src/core/unit.ts';
import { createObserver, type ObserveOptions } from '../../src/store/observe.ts';
import { writeSlowBar } from '../../src/store/read-rollups.ts';
import { callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { emptyStore } from '../kit/store.ts';
import { describeStores } from '../kit/store-suite.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describeStores('an observer', ({ store, apply }) => {
  const window = { from_ms: NOON_MS - HOUR_MS, to_ms: NOON_MS + HOUR_MS };
  const observe = (options: Partial<ObserveOptions> = {}) =>
    createObserver(store).observe({ window, event_limit: 10, ...options });

  test('an observer counts calls and units by cell, and a unit of two cells in each', async () => {
    await apply(
      callEvent('c1', { intended: 'mini', served: 'mini', unit: 'u:1', latency_ms: 30 }),
      callEvent('c2', { intended: 'demo', unit: 'u:1', category: 'code' }),
      callEvent('c3', { unit: 's:2', arm_error: true, outcome: 'error', tenant: 'acme' }),
      feedbackEvent('f1', { call: 'c2' }),
      feedbackEvent('f2', { call: 'c2', signal: 'helpful', value: 0 }),
      feedbackEvent('f3', { agent: 'default', rater: 'x', value: 3 }),
    );
    const { segments } = await observe();
    expect(segments.map(({ segment }) => segment)).toEqual([
      { agent: 'default', target: null },
      { agent: 'default', target: 'demo' },
      { agent: 'default', target: 'mini' },
      { agent: 'default', target: null, category: 'code' },
      { agent: 'default', target: 'demo', category: 'code' },
      { agent: 'default', target: null, tenant: 'acme' },
      { agent: 'default', target: null, tenant: 'default' },
    ]);
    const [all, demo, mini] = segments;
    expect(all).toMatchObject({
      calls: 3,
      users: 1,
      rates: { error: { units: 2, events: 1 }, dissatisfied: { units: 2, events: 1 } },
      ratings: 2,
      // The unit of the call, and the rater whose feedback names no call.
      rating_by_unit: 2,
      by_tenant: [{ tenant: 'default', units: 2, events: 1 }],
      evidence: ['c3', 'c2'],
    });
    expect(demo).toMatchObject({ calls: 2, rates: { error: { units: 2, events: 1 } } });
    expect(mini).toMatchObject({ calls: 1, rates: { error: { units: 1, events: 0 } } });
    expect(mini?.quantities.latency_ms).toMatchObject({ count: 1, sum: 30, min: 30, max: 30 });
    // A failed call has no latency to speak of.
    expect(all?.quantities.latency_ms?.count).toBe(2);
  });

  test('an observer leaves out canaries, other origins, rejected calls, other times', async () => {
    const others: Partial<CallEvent>[] = [
      { experiment: 'e', arm: 'canary', share: 0.1 },
      { arm: 'holdout' },
      { origin: 'probe' },
      { origin: 'oracle' },
      { origin: 'regression' },
      { outcome: 'rejected' },
      { at_ms: NOON_MS + HOUR_MS },
      { at_ms: NOON_MS - 2 * HOUR_MS },
    ];
    await apply(
      callEvent('c1'),
      callEvent('c2', { experiment: 'e', arm: 'control', share: 0.1, unit: 'u:2' }),
      ...others.map((over, n) =>
        callEvent(`x${n}`, { unit: `u:x${n}`, arm_error: true, relation: 'retry', ...over }),
      ),
      ...others.map((_over, n) => feedbackEvent(`f${n}`, { call: `x${n}` })),
      ...Array.from({ length: 201 }, (_, n) => callEvent(`b${n}`, { unit: 'c:busy' })),
    );
    const [all] = (await observe()).segments;
    expect(all).toMatchObject({ calls: 203, ratings: 0, evidence: [] });
    expect(all?.rates).toEqual({ error: { units: 2, events: 0 }, abort: { units: 2, events: 0 } });
  });

  test('an observer splits units into halves that add up to the whole', async () => {
    const units = Array.from({ length: 40 }, (_, n) => `u:${n}`);
    await apply(
      ...units.map((unit, n) =>
        callEvent(`c${n}`, { unit, latency_ms: 10 + n, arm_error: n % 4 === 0 }),
      ),
      ...units.map((_unit, n) => feedbackEvent(`f${n}`, { call: `c${n}`, value: 1 + (n % 5) })),
    );
    const { segments, halves } = await observe();
    const first = units.filter((unit) => unitFraction('split', unit) < 0.5);
    expect(halves.map(([all]) => all?.calls)).toEqual([first.length, 40 - first.length]);
    const all = (of: readonly SegmentObservation[]) => of[0] as SegmentObservation;
    const sum = (value: (of: SegmentObservation) => number) =>
      value(all(halves[0])) + value(all(halves[1]));
    expect(sum(({ rates }) => rates.error?.events ?? 0)).toBe(10);
    expect(sum(({ rates }) => rates.dissatisfied?.units ?? 0)).toBe(40);
    expect(sum(({ quantities }) => quantities.latency_ms?.sum ?? 0)).toBe(
      all(segments).quantities.latency_ms?.sum,
    );
    expect(new Set([...all(halves[0]).evidence, ...all(halves[1]).evidence]).size).toBe(20);
  });

  test('an observer counts signals for a call’s unit and its parent’s, in any order', async () => {
    const parent = callEvent('c1', { unit: 'u:1' });
    const turn = callEvent('c2', {
      unit: 'u:1',
      parent: 'c1',
      relation: 'turn',
      signals: { refusal: 'en' },
      follow_up: { class: 'wrong_answer', correction: true },
    });
    const other = callEvent('c3', { unit: 'u:2' });
    for (const order of [
      [parent, turn, other],
      [turn, other, parent],
    ]) {
      await emptyStore(store);
      for (const record of order) await apply(record);
      const [all] = (await observe()).segments;
      const one = { units: 2, events: 1 };
      expect(all?.rates).toMatchObject({ refusal: one, wrong_answer: one, correction: one });
    }
  });

  test('an observer begins at the next whole hour after an agent’s last change', async () => {
    await apply(
      callEvent('c1', { unit: 'u:1', arm_error: true }),
      callEvent('c2', { unit: 'u:2', at_ms: NOON_MS + HOUR_MS }),
      callEvent('c3', { unit: 'u:3', agent: 'other' }),
    );
    const { segments } = await observe({
      window: { from_ms: NOON_MS, to_ms: NOON_MS + 2 * HOUR_MS },
      since_ms: { default: NOON_MS + 10 * MINUTE_MS },
    });
    const totals = segments.filter(
      ({ segment: { target, tenant } }) => target === null && tenant === undefined,
    );
    expect(totals).toMatchObject([
      { segment: { agent: 'default' }, calls: 1, rates: { error: { units: 1, events: 0 } } },
      { segment: { agent: 'other' }, calls: 1 },
    ]);
  });

  test('an observer bounds evidence by event_limit, newest first', async () => {
    const failed = Array.from({ length: 25 }, (_, n) =>
      callEvent(`c${n}`, { arm_error: true, at_ms: NOON_MS + n }),
    );
    await apply(...failed);
    expect((await observe({ event_limit: 2 })).segments[0]?.evidence).toEqual(['c24', 'c23']);
    expect((await observe({ event_limit: 0 })).segments[0]?.evidence).toEqual([]);
    const { evidence } = (await observe({ event_limit: 100 })).segments[0] as SegmentObservation;
    expect(evidence).toHaveLength(20);
  });

  test('an observer that has read before sees what was written since, also late', async () => {
    const observer = createObserver(store);
    const read = async () => (await observer.observe({ window, event_limit: 0 })).segments[0];
    await apply(callEvent('c1', { at_ms: NOON_MS - 30 * MINUTE_MS, latency_ms: 100 }));
    await apply(callEvent('c2', { at_ms: NOON_MS, latency_ms: 200, unit: 'u:2' }));
    expect(await read()).toMatchObject({ calls: 2, ratings: 0 });
    await apply(feedbackEvent('f1', { call: 'c1', value: 2 }));
    await apply(callEvent('c3', { at_ms: NOON_MS - 20 * MINUTE_MS, unit: 'u:3' }));
    const now = await read();
    expect(now).toMatchObject({ calls: 3, ratings: 1, rating_by_unit: 2 });
    expect(now?.rates.error).toEqual({ units: 3, events: 0 });
    expect(now).toEqual((await observe({ event_limit: 0 })).segments[0]);
    await apply(feedbackEvent('f2', { call: 'c1', value: 5, at_ms: NOON_MS + 2000 }));
    expect(await read()).toMatchObject({ ratings: 1, rating_by_unit: 5 });
    expect((await read())?.rates.dissatisfied).toEqual({ units: 1, events: 0 });
  });

  test('an observer’s past is whole days, in which a unit counts once a day', async () => {
    const at = (days: number, over: Partial<CallEvent> = {}) =>
      callEvent(`c${days}`, { at_ms: NOON_MS - days * DAY_MS + HOUR_MS, ...over });
    await apply(at(1), at(2, { arm_error: true }), at(3), at(8), at(9), at(0));
    const from_ms = NOON_MS - DAY_MS + HOUR_MS;
    const { past, segments } = await observe({ window: { from_ms, to_ms: NOON_MS + 2 * HOUR_MS } });
    expect(past[0]).toMatchObject({ calls: 3, rates: { error: { units: 3, events: 1 } } });
    expect(segments[0]).toMatchObject({ calls: 2, rates: { error: { units: 1, events: 0 } } });
  });

  test('an observer counts a window of more than a day in whole days', async () => {
    await apply(
      ...[0, 1, 2, 5].map((days) => callEvent(`c${days}`, { at_ms: NOON_MS - days * DAY_MS })),
    );
    const week = { from_ms: NOON_MS - 3 * DAY_MS, to_ms: NOON_MS + HOUR_MS };
    expect((await observe({ window: week })).segments[0]).toMatchObject({
      calls: 3,
      rates: { error: { units: 3 } },
    });
  });

  test('an observer knows slow units from the hour after the bar was fixed', async () => {
    await writeSlowBar(store.db, 'default', { slow_ms: 100, since_ms: NOON_MS - 30 * MINUTE_MS });
    await apply(
      callEvent('c1', { latency_ms: 500, at_ms: NOON_MS - 20 * MINUTE_MS }),
      callEvent('c2', { latency_ms: 500, unit: 'u:2' }),
      callEvent('c3', { latency_ms: 100, unit: 'u:3' }),
      callEvent('c4', { latency_ms: 900, unit: 'u:4', outcome: 'error', arm_error: true }),
    );
    const [all] = (await observe()).segments;
    expect(all?.rates.slow).toEqual({ units: 3, events: 1 });
  });

  test('an observer sums tenants beyond the largest, and failures by their code', async () => {
    const calls = Array.from({ length: 20 }, (_, n) =>
      callEvent(`c${n}`, {
        tenant: `t${n}`,
        unit: `u:${n}`,
        attempts: [
          { target: 'demo', outcome: 'error', error: 'upstream_timeout', ttft_ms: null, ms: 1 },
          { target: 'demo', outcome: 'ok', error: null, ttft_ms: 1, ms: 1 },
        ],
      }),
    );
    const said = calls.map(({ id, tenant }) => feedbackEvent(`f${id}`, { call: id, tenant }));
    await apply(...calls, ...said);
    const [all] = (await observe()).segments;
    expect(all?.by_tenant).toHaveLength(17);
    expect(all?.by_tenant.at(-1)).toEqual({ tenant: '(other)', units: 4, events: 4 });
    expect(all?.errors_by_class).toEqual({ upstream_timeout: 20 });
  });

  test('an observer’s series are of whole spans, from the first one with data', async () => {
    const now_ms = NOON_MS + 3 * HOUR_MS + 7 * MINUTE_MS;
    const at = (id: string, ms: number, over: Partial<CallEvent> = {}) =>
      callEvent(id, { at_ms: NOON_MS + ms, ...over });
    await apply(
      at('c1', 0, { latency_ms: 100 }),
      at('c2', MINUTE_MS, { latency_ms: 300, unit: 'u:2', arm_error: true }),
      at('c3', 2 * HOUR_MS, { latency_ms: 500 }),
      at('c4', 3 * HOUR_MS),
      at('c5', 3 * HOUR_MS + 6 * MINUTE_MS),
    );
    const { series } = await observe({ window: { from_ms: now_ms - DAY_MS, to_ms: now_ms } });
    const of = (metric: string, step_ms: number) =>
      series.find(
        (one) =>
          one.metric === metric &&
          one.step_ms === step_ms &&
          one.segment.target === null &&
          one.segment.tenant === undefined,
      );
    expect(of('calls', HOUR_MS)).toMatchObject({ from_ms: NOON_MS, values: [2, 0, 1] });
    expect(of('error', HOUR_MS)).toMatchObject({ values: [0.5, null, 0], counts: [2, 0, 1] });
    const steps = of('calls', 5 * MINUTE_MS);
    expect(steps).toMatchObject({ from_ms: NOON_MS });
    expect(steps?.values).toHaveLength(37);
    expect([steps?.values[0], steps?.values[24], steps?.values[36]]).toEqual([2, 1, 1]);
    const p50 = of('latency_p50_ms', 5 * MINUTE_MS)?.values[24] ?? 0;
    expect(p50).toBeCloseTo(500, -1);
  });

  test('an observer’s quantiles of many batches are those of all calls at once', async () => {
    const calls = Array.from({ length: 300 }, (_, n) =>
      callEvent(`c${n}`, { unit: `u:${n}`, latency_ms: 1 + ((n * 7919) % 1000) }),
    );
    for (let from = 0; from < 300; from += 60) await apply(...calls.slice(from, from + 60));
    const latency = (await observe()).segments[0]?.quantities.latency_ms;
    const sorted = calls.map(({ latency_ms }) => latency_ms).sort((a, b) => a - b);
    expect(latency?.count).toBe(300);
    for (const q of [0, 0.5, 0.95, 1]) {
      const exact = sorted[Math.floor(q * 299)] as number;
      expect(Math.abs(sketchQuantile(latency ?? never(), q) - exact)).toBeLessThanOrEqual(
        exact * 0.010_001,
      );
    }
  });
});

function never(): never {
  throw new Error('there is a sketch');
}
