import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FeedbackEvent } from '../../src/core/event.ts';
import {
  type FeedbackRow,
  type Heard,
  matchFeedback,
  rowOfFeedback,
  SAME_MS,
} from '../../src/store/feedback-match.ts';
import { feedbackEvent, NOON_MS } from '../kit/events.ts';

interface Given {
  readonly row: FeedbackRow;
  readonly stored?: boolean;
  readonly call?: string;
  readonly heard?: Heard;
}

function match(given: readonly Given[], standing: readonly FeedbackRow[] = []) {
  const found = new Map<string, { call: string; by: 'call' }>();
  const heard = new Map<string, Heard>();
  for (const { row, call, heard: before } of given) {
    if (call !== undefined) found.set(row.id, { call, by: 'call' });
    if (before) heard.set(row.id, before);
  }
  const candidates = given.map(({ row, stored = false }) => ({ row, stored }));
  const transitions = matchFeedback({ candidates, found, heard, standing });
  return new Map(transitions.map(({ after }) => [after.id, after]));
}

function row(id: string, over: Partial<FeedbackEvent> = {}): FeedbackRow {
  return rowOfFeedback(feedbackEvent(id, over));
}

describe('matchFeedback', () => {
  test('matchFeedback holds feedback without a call against its agent, else against nobody', () => {
    const matched = match([{ row: row('a', { agent: 'helper' }) }, { row: row('b') }]);
    expect(matched.get('a')).toMatchObject({ matched: 'agent', call: null, counted: true });
    expect(matched.get('b')).toMatchObject({ matched: 'none', call: null, counted: false });
  });

  test('matchFeedback counts the newest of one rater, call and signal', () => {
    const first = row('a', { at_ms: NOON_MS, value: 1 });
    const second = row('b', { at_ms: NOON_MS + 1, value: 5 });
    const matched = match([
      { row: second, call: 'c' },
      { row: first, call: 'c' },
    ]);
    expect(matched.get('a')).toMatchObject({ matched: 'call', counted: false });
    expect(matched.get('b')).toMatchObject({ matched: 'call', counted: true });
  });

  test('matchFeedback lets only a newer value replace the one that stands', () => {
    const standing = { ...row('a', { at_ms: NOON_MS }), call: 'c', counted: true };
    const newer = row('b', { at_ms: NOON_MS + 1 });
    const older = row('c', { at_ms: NOON_MS - 1 });
    expect(match([{ row: newer, call: 'c' }], [standing]).get('a')?.counted).toBe(false);
    const matched = match([{ row: older, call: 'c' }], [standing]);
    expect(matched.get('c')?.counted).toBe(false);
    expect(matched.has('a')).toBe(false);
  });

  test('matchFeedback moves feedback from its agent to the call that came late', () => {
    const waiting = { ...row('a', { agent: 'x' }), matched: 'agent' as const, counted: true };
    const matched = match([{ row: waiting, stored: true, call: 'c' }]);
    expect(matched.get('a')).toMatchObject({ matched: 'call', call: 'c', counted: true });
    expect(match([{ row: waiting, stored: true }]).size).toBe(0);
  });

  test('matchFeedback takes one idempotency key once, in a batch and against the store', () => {
    const twice = match([
      { row: row('a', { idempotency: 'k', value: 1 }), call: 'c' },
      { row: row('b', { idempotency: 'k', value: 5, at_ms: NOON_MS + 2000 }), call: 'c' },
      { row: row('d', { idempotency: 'k', signal: 'helpful' }), call: 'c' },
    ]);
    expect([...twice.values()].map(({ id, duplicate }) => [id, duplicate])).toEqual([
      ['a', false],
      ['d', false],
      ['b', true],
    ]);
    const heard = { request: true, value: null, at_ms: null };
    expect(match([{ row: row('a', { idempotency: 'k' }), heard }]).get('a')?.duplicate).toBe(true);
  });

  test('matchFeedback hears the same said again within a day as one, later as another', () => {
    const heard = { request: false, value: 1, at_ms: NOON_MS };
    const again = (at_ms: number, value: number) =>
      match([{ row: row('b', { agent: 'x', at_ms, value }), heard }]).get('b')?.duplicate;
    expect(again(NOON_MS + SAME_MS, 1)).toBe(true);
    expect(again(NOON_MS + SAME_MS + 1, 1)).toBe(false);
    expect(again(NOON_MS + 1000, 2)).toBe(false);
  });

  test('matchFeedback counts one per rater, call and signal, in whatever batches', () => {
    const events = fc.array(
      fc.record({
        rater: fc.constantFrom('r1', 'r2'),
        call: fc.constantFrom('c1', 'c2'),
        at: fc.nat(5),
        value: fc.integer({ min: 1, max: 5 }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(events, fc.nat(12), (given, split) => {
        const rows = given.map(({ rater, at, value }, index) =>
          row(`f${index}`, { rater, value, at_ms: NOON_MS + at }),
        );
        const store = new Map<string, FeedbackRow>();
        for (const part of [rows.slice(0, split), rows.slice(split)]) {
          const standing = [...store.values()].filter(({ counted }) => counted);
          const input = part.map((each) => ({
            row: each,
            call: given[Number(each.id.slice(1))]?.call,
          }));
          for (const [id, after] of match(input as Given[], standing)) store.set(id, after);
        }
        const counted = [...store.values()].filter((each) => each.counted);
        const groups = new Map<string, FeedbackRow>();
        for (const each of store.values()) {
          const key = `${each.rater} ${each.call}`;
          const best = groups.get(key);
          const newer = !best || each.at_ms > best.at_ms;
          if (newer || (each.at_ms === best?.at_ms && each.id > best.id)) groups.set(key, each);
        }
        expect(new Set(counted.map(({ id }) => id))).toEqual(
          new Set([...groups.values()].map(({ id }) => id)),
        );
      }),
    );
  });

  test('matchFeedback leaves the same rows however the same events are cut into batches', () => {
    const events = fc.array(
      fc.record({
        rater: fc.constantFrom('r1', 'r2'),
        call: fc.constantFrom(null, null, 'c1'),
        agent: fc.constantFrom('x', null),
        idempotency: fc.constantFrom(null, null, null, 'k'),
        hours: fc.nat(16),
        value: fc.integer({ min: 1, max: 2 }),
      }),
      { minLength: 2, maxLength: 12 },
    );
    fc.assert(
      fc.property(events, fc.array(fc.nat(3), { maxLength: 12 }), (given, cuts) => {
        let at_ms = NOON_MS;
        const rows = given.map(({ hours, ...over }, index) => {
          at_ms += hours * HOUR_MS;
          return row(`f${String(index).padStart(2, '0')}`, { ...over, at_ms });
        });
        const whole = new Map<string, FeedbackRow>();
        applyTo(whole, rows);
        const parts = new Map<string, FeedbackRow>();
        let rest: readonly FeedbackRow[] = rows;
        for (const size of cuts) {
          applyTo(parts, rest.slice(0, size));
          rest = rest.slice(size);
        }
        applyTo(parts, rest);
        expect(parts).toEqual(whole);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

const HOUR_MS = 3_600_000;

/** What `applyFeedback` does with a batch, on rows in memory. */
function applyTo(store: Map<string, FeedbackRow>, batch: readonly FeedbackRow[]): void {
  const stored = [...store.values()];
  const input = batch.map((each) => ({
    row: each,
    ...(each.named_call === null ? {} : { call: each.named_call }),
    heard: heardIn(stored, each),
  }));
  const standing = stored.filter(({ counted, call }) => counted && call !== null);
  for (const [id, after] of match(input, standing)) store.set(id, after);
}

function heardIn(stored: readonly FeedbackRow[], row: FeedbackRow): Heard {
  const last = stored
    .filter(({ said, duplicate }) => said === row.said && !duplicate)
    .filter(({ at_ms }) => at_ms >= row.at_ms - SAME_MS && at_ms <= row.at_ms)
    .at(-1);
  const request = stored.some(
    ({ idempotency }) => idempotency !== null && idempotency === row.idempotency,
  );
  return { request, value: last?.value ?? null, at_ms: last?.at_ms ?? null };
}
