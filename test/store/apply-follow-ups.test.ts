import { expect, test } from 'vitest';
import type { CallEvent, FollowUpClass, FollowUpEvent } from '../../src/core/event.ts';
import { turnsToJudge } from '../../src/store/apply-follow-ups.ts';
import { createObserver } from '../../src/store/observe.ts';
import { insertSamples } from '../../src/store/prompt-samples.ts';
import { callEvent, NOON_MS } from '../kit/events.ts';
import { describeStores } from '../kit/store-suite.ts';

const HOUR_MS = 3_600_000;

const turn = (id: string, parent: string, over: Partial<CallEvent> = {}): CallEvent =>
  callEvent(id, { parent, relation: 'turn', served: 'mini', ...over });

const judged = (call: string, said: FollowUpClass): FollowUpEvent => ({
  type: 'follow_up',
  v: 1,
  at_ms: NOON_MS + 5000,
  call,
  tenant: 'default',
  class: said,
  by: 'mini',
});

describeStores('applyFollowUps', ({ store, apply }) => {
  /** Of the agent, and of the target that gave the answers. */
  const rates = async () => {
    const window = { from_ms: NOON_MS, to_ms: NOON_MS + HOUR_MS };
    const { segments } = await createObserver(store).observe({ window, event_limit: 10 });
    const cell = segments.find(({ segment }) => segment.target === 'demo');
    return Object.fromEntries(
      Object.entries(cell?.rates ?? {}).filter(([metric]) => metric.startsWith('model_')),
    );
  };
  const count = (units: number, events: number) => ({ units, events });
  const none = (units: number) => ({
    model_wrong_answer: count(units, 0),
    model_needs_clarification: count(units, 0),
    model_wants_different: count(units, 0),
    model_satisfied: count(units, 0),
  });

  test('applyFollowUps counts a class among the units that were judged, each once', async () => {
    await apply(
      ...['a', 'b', 'c', 'd'].map((id) => callEvent(id, { unit: `u:${id}` })),
      turn('a2', 'a'),
      turn('a3', 'a'),
      turn('b2', 'b'),
      turn('c2', 'c'),
    );
    expect(await rates()).toEqual({});
    await apply(
      judged('a2', 'wrong_answer'),
      judged('a3', 'wrong_answer'),
      judged('b2', 'none'),
      judged('c2', 'satisfied'),
    );
    const wanted = {
      ...none(3),
      model_wrong_answer: count(3, 1),
      model_satisfied: count(3, 1),
    };
    expect(await rates()).toEqual(wanted);
    // A second verdict on a turn, in another batch as in the same, is none.
    await apply(judged('b2', 'wrong_answer'), judged('c2', 'wrong_answer'));
    expect(await rates()).toEqual(wanted);
  });

  test('applyFollowUps counts beside what the rules said, and changes none of it', async () => {
    const rules = turn('a2', 'a', { follow_up: { class: 'satisfied', reask: true } });
    await apply(callEvent('a'), rules, judged('a2', 'wrong_answer'));
    const window = { from_ms: NOON_MS, to_ms: NOON_MS + HOUR_MS };
    const { segments } = await createObserver(store).observe({ window, event_limit: 10 });
    expect(segments[0]?.rates).toMatchObject({
      satisfied: count(1, 1),
      reask: count(1, 1),
      model_wrong_answer: count(1, 1),
      model_satisfied: count(1, 0),
    });
  });

  test('applyFollowUps counts nothing of canaries, our own calls, other tenants', async () => {
    const canary = { experiment: 'e', arm: 'canary', share: 0.1 };
    await apply(
      callEvent('a', canary),
      turn('a2', 'a', canary),
      callEvent('b', { origin: 'oracle' }),
      turn('b2', 'b', { origin: 'oracle' }),
      callEvent('c', { tenant: 'acme' }),
      turn('c2', 'c', { tenant: 'acme' }),
      callEvent('d'),
      turn('d2', 'd', { relation: 'regeneration' }),
      turn('e2', 'nobody'),
      ...['a2', 'b2', 'c2', 'd2', 'e2', 'nowhere'].map((id) => judged(id, 'wrong_answer')),
    );
    expect(await rates()).toEqual({});
  });

  test('applyFollowUps is found by a parent that comes later', async () => {
    await apply(turn('a2', 'a', { unit: 'u:a' }), judged('a2', 'wants_different'));
    expect(await rates()).toEqual({});
    await apply(callEvent('a', { unit: 'u:a' }));
    expect(await rates()).toEqual({ ...none(1), model_wants_different: count(1, 1) });
  });

  test('turnsToJudge finds kept turns of clients that nobody has judged', async () => {
    const sampleOf = (call: string) => ({
      call,
      at_ms: NOON_MS,
      tenant: 'default',
      agent: 'default',
      unit: 'u:1',
      user: null,
      session: null,
      served: 'demo',
      turns: [{ role: 'user', text: `said in ${call}` }] as const,
      answer: 'x',
    });
    await apply(
      callEvent('a'),
      turn('a2', 'a'),
      turn('a3', 'a'),
      turn('a4', 'a', { origin: 'oracle' }),
      turn('a5', 'a'),
      judged('a3', 'none'),
    );
    await insertSamples(store.db, ['a', 'a2', 'a3', 'a4'].map(sampleOf));
    const asked = ['a', 'a2', 'a3', 'a4', 'a5', 'nowhere'];
    expect(await turnsToJudge(store.db, asked)).toEqual([
      {
        call: 'a2',
        tenant: 'default',
        agent: 'default',
        turns: [{ role: 'user', text: 'said in a2' }],
      },
    ]);
  });
});
