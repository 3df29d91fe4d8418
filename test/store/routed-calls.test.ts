import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Decision } from '../../src/core/call.ts';
import type { CallEvent, JournalRecord } from '../../src/core/event.ts';
import { sql } from '../../src/store/drizzle.ts';
import type { Db } from '../../src/store/open.ts';
import { pruneStore } from '../../src/store/prune.ts';
import { createRoutedReader, type RoutedCall } from '../../src/store/routed-calls.ts';
import { callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { emptyStore } from '../kit/store.ts';
import { describeStores } from '../kit/store-suite.ts';

const DAY_MS = 86_400_000;

function routed(
  id: string,
  target: string,
  more: Partial<CallEvent> = {},
  choice: Partial<Decision> = {},
): CallEvent {
  const decision: Decision = {
    name: 'model-router',
    options: ['mini', 'big'],
    probabilities: [0.5, 0.5],
    chosen: target,
    intended: target,
    ...choice,
  };
  return callEvent(id, { served: target, decisions: [decision], ...more });
}

const idsOf = (calls: readonly RoutedCall[]) => calls.map(({ id }) => id);
const until = (before_ms: number, limit = 100, options = 2) => ({
  agent: 'default',
  before_ms,
  limit,
  options,
});

/** The same database, with the calls that were read from it. */
function watched(db: Db): { db: Db; read: RoutedCall[] } {
  const read: RoutedCall[] = [];
  const execute = async (query: Parameters<Db['execute']>[0]) => {
    const result: unknown = await db.execute(query);
    const rows = Array.isArray(result) ? result : (result as { rows: unknown[] }).rows;
    for (const row of rows as RoutedCall[]) if ('target' in row) read.push(row);
    return result;
  };
  return { db: { execute } as unknown as Db, read };
}

type Step =
  | { readonly kind: 'calls'; readonly ats: readonly number[] }
  | { readonly kind: 'feedback'; readonly of: number; readonly value: number }
  | { readonly kind: 'look'; readonly before: number };

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('calls' as const),
      ats: fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constant('feedback' as const),
      of: fc.nat(4),
      value: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ kind: fc.constant('look' as const), before: fc.integer({ min: 12, max: 21 }) }),
  ),
  { minLength: 8, maxLength: 20 },
);

describeStores('routed calls', ({ store, apply }) => {
  test('routed calls are free choices of clients, with what users said of them', async () => {
    await apply(
      routed('c1', 'mini', { cost_usd: 0.25 }, { category: 'code' }),
      routed('c2', 'big', { at_ms: NOON_MS + 1, served: 'mini' }),
      routed('c3', 'big', { outcome: 'aborted' }),
      routed('c4', 'big', { origin: 'probe' }),
      routed('c5', 'big', {}, { forced: 'health' }),
      routed('c6', 'big', { arm: 'canary', experiment: 'e' }),
      routed('c7', 'big', { agent: 'other' }),
      callEvent('c8'),
      feedbackEvent('f1', { call: 'c1', signal: 'rating', value: 4 }),
      feedbackEvent('f2', { call: 'c1', signal: 'complaint', value: 1 }),
    );
    const reader = createRoutedReader(store.db);
    const found = await reader.read(until(NOON_MS + 10));
    expect(found).toHaveLength(2);
    expect(found.map(({ probability }) => probability)).toEqual([0.5, 0.5]);
    // With a third target, these were choices among fewer.
    const among = await reader.read(until(NOON_MS + 10, 100, 3));
    expect(among.map(({ probability }) => probability)).toEqual([null, null]);
    const first = { target: 'mini', category: 'code', ok: true, cost_usd: 0.25, said: 0.375 };
    expect(found[0]).toMatchObject(first);
    // A fallback answered: that is no success of the choice.
    const second = { target: 'big', category: '', ok: false, cost_usd: null, said: null };
    expect(found[1]).toMatchObject(second);
  });

  test('routed calls are read once, and again from where a late one began', async () => {
    const { db, read } = watched(store.db);
    const reader = createRoutedReader(db);
    const at = (second: number) => routed(`c${second}`, 'mini', { at_ms: NOON_MS + second });
    const look = async (second: number, limit?: number) => {
      read.length = 0;
      const all = idsOf(await reader.read(until(NOON_MS + second, limit)));
      return { all, read: idsOf(read).toReversed() };
    };
    await apply(at(0), at(1), at(2), at(9));
    expect(await look(5)).toEqual({ all: ['c0', 'c1', 'c2'], read: ['c0', 'c1', 'c2'] });
    await apply(at(5), at(6));
    expect(await look(8)).toEqual({ all: ['c0', 'c1', 'c2', 'c5', 'c6'], read: ['c5', 'c6'] });
    await apply(feedbackEvent('f1', { call: 'c0', value: 5 }));
    expect(await look(10)).toEqual({
      all: ['c0', 'c1', 'c2', 'c5', 'c6', 'c9'],
      read: ['c9'],
    });
    expect((await reader.read(until(NOON_MS + 10)))[0]?.said).toBe(1);
    await apply(at(4));
    expect((await look(10)).read).toEqual(['c4', 'c5', 'c6', 'c9']);
    // The clock of maturity is put back, and then more is asked for than is kept.
    expect((await look(3)).all).toEqual(['c0', 'c1', 'c2']);
    expect((await look(10, 2)).all).toEqual(['c6', 'c9']);
    expect((await look(10, 4)).all).toEqual(['c4', 'c5', 'c6', 'c9']);
  });

  test('routed calls are forgotten with the store’s, and news that nobody read', async () => {
    const reader = createRoutedReader(store.db);
    await apply(routed('old', 'mini'), routed('new', 'mini', { at_ms: NOON_MS + 8 * DAY_MS }));
    const now_ms = NOON_MS + 9 * DAY_MS;
    expect(idsOf(await reader.read(until(now_ms)))).toEqual(['old', 'new']);
    await pruneStore(store, { now_ms, events_days: 7 });
    expect(idsOf(await reader.read(until(now_ms)))).toEqual(['new']);

    await apply(routed('between', 'mini', { at_ms: NOON_MS + 7 * DAY_MS }));
    await store.db.execute(sql`select setval('route_news_batch_seq', 9000)`);
    await apply(routed('newest', 'mini', { at_ms: now_ms - 1 }));
    await pruneStore(store, { now_ms, events_days: 7 });
    expect(idsOf(await reader.read(until(now_ms)))).toEqual(['between', 'new', 'newest']);
  });

  test('a reader that has read before finds what a new one finds', async () => {
    const run = async (given: readonly Step[]) => {
      await emptyStore(store);
      const reader = createRoutedReader(store.db);
      let made = 0;
      for (const [number, step] of given.entries()) {
        if (step.kind === 'look') {
          const query = until(NOON_MS + step.before, 5);
          const found = await reader.read(query);
          expect(found).toEqual(await createRoutedReader(store.db).read(query));
          continue;
        }
        const records: JournalRecord[] =
          step.kind === 'calls'
            ? step.ats.map((at) => routed(`c${made++}`, 'mini', { at_ms: NOON_MS + at }))
            : [feedbackEvent(`f${number}`, { call: `c${step.of}`, value: step.value })];
        await apply(...records);
      }
    };
    await fc.assert(fc.asyncProperty(steps, run), { seed: 20_261_127, numRuns: 8 });
  });
});
