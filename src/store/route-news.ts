import type { CallEvent } from '../core/event.ts';
import { anyOf } from './columns-given.ts';
import { sql } from './drizzle.ts';
import type { FeedbackRow, Transition } from './feedback-match.ts';
import type { Store } from './open.ts';
import type { Db } from './rows.ts';
import { lockRollups } from './write-rollups.ts';

/**
 * Tells who learns routes what a batch has brought: when the first of its routed calls began, and
 * of which routed calls its feedback was. The caller holds the lock of the rollups, so that batches
 * are numbered in the order in which they become visible.
 */
export async function writeRouteNews(
  tx: Db,
  calls: readonly CallEvent[],
  feedback: readonly Transition[],
): Promise<void> {
  let from_ms = Number.POSITIVE_INFINITY;
  for (const call of calls) if (isRouted(call)) from_ms = Math.min(from_ms, call.at_ms);
  const said = new Set<string>();
  for (const { before, after } of feedback) {
    for (const row of [before, after]) if (row && isWord(row)) said.add(row.call as string);
  }
  const first_ms = Number.isFinite(from_ms) ? from_ms : null;
  if (first_ms === null && said.size === 0) return;
  await tx.execute(sql`
    insert into route_news (from_ms, said)
    select ${first_ms}::bigint, said from (
      select array_agg(c.id) as said from calls c
      where c.id = ${anyOf([...said])} and c.decisions @> '[{"name": "model-router"}]'
    ) as routed
    where said is not null or ${first_ms}::bigint is not null`);
}

function isRouted({ decisions, origin }: CallEvent): boolean {
  return origin === 'client' && decisions.some(({ name }) => name === 'model-router');
}

function isWord({ call, counted, signal }: FeedbackRow): boolean {
  if (call === null || !counted) return false;
  return signal === 'rating' || signal === 'helpful' || signal === 'complaint';
}

/** The newest batches: two minutes of the busiest traffic, and a look comes every 15 seconds. */
const BATCHES_KEPT = 2_000;

/** Forgets old news; after calls were deleted all others are read again. */
export async function pruneRouteNews(store: Store, calls_deleted: boolean): Promise<void> {
  await store.transaction(async (tx) => {
    await lockRollups(tx);
    if (calls_deleted) await tx.execute(sql`insert into route_news (from_ms) values (0)`);
    await tx.execute(sql`delete from route_news
      where batch <= (select max(batch) from route_news) - ${BATCHES_KEPT}`);
  });
}
