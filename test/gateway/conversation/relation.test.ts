import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/core/call.ts';
import {
  createRelations,
  REGENERATION_WITHIN_MS,
  RETRY_WITHIN_MS,
  type Relations,
} from '../../../src/gateway/conversation/relation.ts';
import { digestTurns } from '../../../src/gateway/conversation/turn-digests.ts';

const messages = (...texts: string[]) =>
  texts.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }));

function asking(relations: Relations) {
  let calls = 0;
  return (
    texts: string[],
    over: { unit?: string; policy_ms?: number; retry_count?: number } = {},
  ) => {
    calls += 1;
    const turns = digestTurns(messages(...texts));
    const defaults = { unit: 's:one', policy_ms: 0, retry_count: 0 };
    return relations.relate({ call: `call_${calls}`, turns, ...defaults, ...over });
  };
}

const NONE = { parent: null, relation: null };

describe('relate', () => {
  test('relate calls the same question after an answer a regeneration, for ten minutes', () => {
    const relations = createRelations(100);
    const ask = asking(relations);
    expect(ask(['hi'])).toMatchObject(NONE);
    expect(ask(['hi'])).toMatchObject(NONE);
    relations.ended(1, 'ok', 0);
    const regeneration = { parent: 'call_1', relation: 'regeneration' };
    expect(ask(['hi'], { policy_ms: REGENERATION_WITHIN_MS })).toMatchObject(regeneration);
    expect(ask(['hi'], { policy_ms: REGENERATION_WITHIN_MS + 1 })).toMatchObject(NONE);
    expect(ask(['hi'], { unit: 's:two' })).toMatchObject(NONE);
    expect(ask(['ho'])).toMatchObject(NONE);
  });

  test('relate calls the same question after a failure a retry, for a minute', () => {
    const relations = createRelations(100);
    const ask = asking(relations);
    ask(['hi']);
    relations.ended(1, 'error', 1000);
    const retry = { parent: 'call_1', relation: 'retry' };
    expect(ask(['hi'], { policy_ms: 1000 + RETRY_WITHIN_MS })).toMatchObject(retry);
    expect(ask(['hi'], { policy_ms: 1001 + RETRY_WITHIN_MS })).toMatchObject(NONE);
  });

  test('relate believes the client’s retry count', () => {
    const relations = createRelations(100);
    const ask = asking(relations);
    expect(ask(['hi'], { retry_count: 1 })).toMatchObject({ parent: null, relation: 'retry' });
    expect(ask(['hi'], { retry_count: 2 })).toMatchObject({ parent: 'call_1', relation: 'retry' });
  });

  test('relate makes nothing of a question whose first answer was aborted', () => {
    const relations = createRelations(100);
    const ask = asking(relations);
    ask(['hi']);
    relations.ended(1, 'aborted', 0);
    expect(ask(['hi'])).toMatchObject(NONE);
  });

  test('relate calls a longer conversation a turn of the longest that it begins with', () => {
    const ask = asking(createRelations(100));
    ask(['hi']);
    ask(['hi', 'hello', 'how are you?']);
    ask(['another', 'thing']);
    expect(ask(['hi', 'hello', 'how are you?', 'fine', 'bye'])).toMatchObject({
      parent: 'call_2',
      relation: 'turn',
    });
    expect(ask(['hi', 'good day', 'how are you?'])).toMatchObject({
      parent: 'call_1',
      relation: 'turn',
    });
    expect(ask(['how are you?', 'hi'])).toMatchObject(NONE);
  });

  test('relate finds no relation without turns', () => {
    const relations = createRelations(100);
    const asked = { unit: 's:one', turns: digestTurns([]), retry_count: 0, policy_ms: 0 };
    expect(relations.relate({ ...asked, call: 'call_1' })).toMatchObject(NONE);
    relations.ended(1, 'ok', 0);
    expect(relations.relate({ ...asked, call: 'call_2' })).toMatchObject(NONE);
  });

  test('relate agrees with comparing whole conversations, whatever the order of calls', () => {
    const text = fc.constantFrom('a', 'b');
    const step = fc.record({
      texts: fc.array(text, { minLength: 1, maxLength: 4 }),
      unit: fc.constantFrom('u:1', 'u:2'),
      outcome: fc.constantFrom<Outcome['outcome']>('ok', 'error', 'aborted'),
      gap_ms: fc.integer({ min: 0, max: 200_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const relations = createRelations(1000);
        const ask = asking(relations);
        const earlier: ((typeof steps)[number] & { id: string; at_ms: number })[] = [];
        let policy_ms = 0;
        for (const [index, one] of steps.entries()) {
          policy_ms += one.gap_ms;
          const mine = earlier.filter(({ unit }) => unit === one.unit).reverse();
          const { parent, relation, place } = ask(one.texts, { unit: one.unit, policy_ms });
          const same = mine.find(
            ({ texts, outcome }) =>
              outcome !== 'aborted' && JSON.stringify(texts) === JSON.stringify(one.texts),
          );
          const age_ms = policy_ms - (same?.at_ms ?? 0);
          const wanted = wantedRelation(same?.outcome, age_ms) ?? turnOf(mine, one.texts);
          expect(relation).toBe(wanted);
          expect(parent === null).toBe(wanted === null);
          const id = `call_${index + 1}`;
          relations.ended(place, one.outcome, policy_ms);
          earlier.push({ ...one, id, at_ms: policy_ms });
        }
      }),
    );
  });

  test('relate forgets what the ring no longer holds', () => {
    const relations = createRelations(3);
    const ask = asking(relations);
    ask(['first']);
    relations.ended(1, 'ok', 0);
    for (const other of ['a', 'b', 'c']) ask([other], { unit: 's:else' });
    expect(ask(['first'])).toMatchObject(NONE);
  });

  test('relate takes the end of a call that it has forgotten for no other call’s', () => {
    const relations = createRelations(3);
    const ask = asking(relations);
    const { place } = ask(['first']);
    for (const other of ['a', 'b', 'c']) ask([other], { unit: `s:${other}` });
    relations.ended(place, 'ok', 0);
    for (const other of ['c', 'b', 'a']) {
      expect(ask([other], { unit: `s:${other}` })).toMatchObject(NONE);
    }
  });
});

function wantedRelation(outcome: Outcome['outcome'] | undefined, age_ms: number) {
  if (outcome === 'ok' && age_ms <= REGENERATION_WITHIN_MS) return 'regeneration';
  if (outcome === 'error' && age_ms <= RETRY_WITHIN_MS) return 'retry';
  return null;
}

function turnOf(earlier: readonly { readonly texts: string[] }[], texts: string[]) {
  const begins = earlier.some(
    (one) => one.texts.length < texts.length && one.texts.every((text, at) => text === texts[at]),
  );
  return begins ? 'turn' : null;
}
