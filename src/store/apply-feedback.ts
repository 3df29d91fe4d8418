import type { CallEvent, FeedbackEvent } from '../core/event.ts';
import { factsOf } from './apply-calls.ts';
import type { CallFacts } from './call-row.ts';
import { anyOf } from './columns-given.ts';
import type { Deltas } from './deltas.ts';
import { sql } from './drizzle.ts';
import {
  countTransition,
  type FeedbackRow,
  type Heard,
  MATCH_MS,
  matchFeedback,
  rowOfFeedback,
  SAME_MS,
  type Transition,
} from './feedback-match.ts';
import { type Db, jsonRows, rowsOf } from './rows.ts';

const COLUMNS = sql.raw(
  `f.id, f.at_ms::float8 as at_ms, f.tenant, f.rater, f.key, f.channel, f.signal, f.value, f.text,
   f.named_call, f.completion_id, f.request_id, f.session, f.agent, f.idempotency, f.said,
   f.matched, f.call, f.duplicate, f.counted`,
);

/**
 * Stores feedback, matches it and what waits for one of the new calls, and adds up what has
 * changed. Feedback that is stored already changes nothing. Returns all transitions.
 */
export async function applyFeedback(
  tx: Db,
  events: readonly FeedbackEvent[],
  newCalls: readonly CallEvent[],
  deltas: Deltas,
): Promise<readonly Transition[]> {
  const fresh = await unstored(tx, events);
  const waiting = await waitingFor(tx, newCalls);
  const candidates = [
    ...fresh.map((row) => ({ row, stored: false })),
    ...waiting.map((row) => ({ row, stored: true })),
  ];
  if (candidates.length === 0) return [];
  const known = new Map<string, CallFacts>(newCalls.map((call) => [call.id, call]));
  const rows = candidates.map(({ row }) => row);
  const found = await findCalls(tx, rows, known);
  const callIds = [...new Set([...found.values()].map(({ call }) => call))];
  // Nothing can stand for a call that was not there before this batch.
  const oldIds = callIds.filter((id) => !known.has(id));
  const standing = await standingFor(tx, oldIds);
  const heard = await heardBefore(
    tx,
    fresh.filter(({ id, idempotency }) => idempotency !== null || !found.has(id)),
  );
  const transitions = matchFeedback({ candidates, found, heard, standing });
  const calls = await factsOf(tx, callIds, known);
  for (const transition of transitions) countTransition(transition, calls, deltas);
  const added = transitions.filter(({ before }) => before === null);
  const changed = transitions.filter(({ before }) => before !== null);
  await insert(tx, added);
  await update(tx, changed);
  return transitions;
}

async function unstored(tx: Db, events: readonly FeedbackEvent[]): Promise<readonly FeedbackRow[]> {
  if (events.length === 0) return [];
  const byId = new Map(events.map((event) => [event.id, event]));
  const ids = [...byId.keys()];
  const known = await rowsOf<{ id: string }>(
    tx,
    sql`select id from feedback where id = ${anyOf(ids)}`,
  );
  for (const { id } of known) byId.delete(id);
  return [...byId.values()].map(rowOfFeedback);
}

/**
 * Stored feedback without a call that one of these calls may be meant by; not older than 30
 * minutes.
 */
async function waitingFor(tx: Db, calls: readonly CallEvent[]): Promise<readonly FeedbackRow[]> {
  if (calls.length === 0) return [];
  const newest_ms = Math.max(...calls.map(({ at_ms }) => at_ms));
  const since_ms = newest_ms - MATCH_MS;
  const [open] = await rowsOf<{ open: boolean }>(
    tx,
    sql`select exists (select 1 from feedback f
      where f.call is null and not f.duplicate and f.at_ms >= ${since_ms}) as open`,
  );
  if (!open?.open) return [];
  const names: readonly (readonly [string, readonly (string | null)[]])[] = [
    ['named_call', calls.map(({ id }) => id)],
    ['completion_id', calls.map(({ completion_id }) => completion_id)],
    ['request_id', calls.map(({ request_id }) => request_id)],
    ['session', calls.map(({ session }) => session)],
  ];
  const selects = names.map(([column, values]) => {
    const given = [...new Set(values.flatMap((value) => value ?? []))];
    return sql`select ${COLUMNS} from feedback f where f.call is null and not f.duplicate
      and f.at_ms >= ${since_ms} and f.${sql.raw(column)} = ${anyOf(given)}`;
  });
  return rowsOf<FeedbackRow>(tx, sql.join(selects, sql.raw(' union ')));
}

/**
 * The call that each row names, of its own tenant; else, where it names none, the newest finished
 * one of its session. A wrong name is never held against another call.
 */
async function findCalls(
  tx: Db,
  rows: readonly FeedbackRow[],
  known: ReadonlyMap<string, CallFacts>,
): Promise<ReadonlyMap<string, { call: string; by: 'call' | 'session' }>> {
  const matches = new Map<string, { call: string; by: 'call' | 'session' }>();
  for (const { id, named_call, tenant } of rows) {
    const call = known.get(named_call ?? '');
    if (call?.tenant === tenant) matches.set(id, { call: call.id, by: 'call' });
  }
  const others = rows.filter(({ id }) => !matches.has(id));
  if (others.length === 0) return matches;
  const asked = others.map((row) => ({
    ...row,
    text: null,
    named: [row.named_call, row.completion_id, row.request_id].some((name) => name !== null),
  }));
  const found = await rowsOf<{ id: string; named: string | null; of_session: string | null }>(
    tx,
    sql`select f.id,
      case when f.named then coalesce(
        (select c.id from calls c where c.id = f.named_call and c.tenant = f.tenant),
        (select c.id from calls c where hashtext(c.completion_id) = hashtext(f.completion_id)
          and c.completion_id = f.completion_id and c.tenant = f.tenant
          order by c.at_ms desc, c.id desc limit 1),
        (select c.id from calls c where c.request_id = f.request_id and c.tenant = f.tenant
          order by c.at_ms desc, c.id desc limit 1),
        (select c.id from calls c where c.id = f.request_id and c.tenant = f.tenant
          and c.request_id is null)) end as named,
      case when not f.named and f.session is not null then
        (select c.id from calls c where c.session = f.session and c.tenant = f.tenant
          and c.origin = 'client' and c.outcome <> 'rejected'
          and (f.agent is null or c.agent = f.agent)
          and (f.channel <> 'header' or c.key = f.key)
          and c.at_ms <= f.at_ms and c.at_ms >= f.at_ms - ${MATCH_MS}
          order by c.at_ms desc, c.id desc limit 1) end as of_session
    from json_to_recordset(${jsonRows(asked)}::json) as f (id text, at_ms bigint, tenant text,
      key text, channel text, named boolean, named_call text, completion_id text,
      request_id text, session text, agent text)`,
  );
  for (const { id, named, of_session } of found) {
    if (named !== null) matches.set(id, { call: named, by: 'call' });
    else if (of_session !== null) matches.set(id, { call: of_session, by: 'session' });
  }
  return matches;
}

/** Stored feedback that counts for these calls now: at most one of each (rater, call, signal). */
async function standingFor(tx: Db, calls: readonly string[]): Promise<readonly FeedbackRow[]> {
  if (calls.length === 0) return [];
  return rowsOf<FeedbackRow>(
    tx,
    sql`select ${COLUMNS} from feedback f where f.counted and f.call = ${anyOf(calls)}`,
  );
}

/**
 * What the store has heard of what these rows say: under one idempotency key, or within a day. Of a
 * call only the key matters, so rows of a call without one are not asked about.
 */
async function heardBefore(
  tx: Db,
  rows: readonly FeedbackRow[],
): Promise<ReadonlyMap<string, Heard>> {
  if (rows.length === 0) return new Map();
  const asked = rows.map((row) => ({ ...row, text: null }));
  const heard = await rowsOf<Heard & { id: string }>(
    tx,
    sql`select f.id, last.value, last.at_ms::float8 as at_ms,
      exists (select 1 from feedback d where d.idempotency = f.idempotency
        and d.tenant = f.tenant and d.key = f.key and d.signal = f.signal) as request
    from json_to_recordset(${jsonRows(asked)}::json) as f (id text, at_ms bigint, tenant text,
      key text, signal text, idempotency text, said text)
    left join lateral (select d.value, d.at_ms from feedback d
      where d.said = f.said and not d.duplicate
        and d.at_ms between f.at_ms - ${SAME_MS} and f.at_ms
      order by d.at_ms desc, d.id desc limit 1) last on true`,
  );
  return new Map(heard.map((row) => [row.id, row]));
}

async function insert(tx: Db, added: readonly Transition[]): Promise<void> {
  if (added.length === 0) return;
  const rows = jsonRows(added.map(({ after }) => after));
  await tx.execute(sql`
    insert into feedback select * from json_populate_recordset(null::feedback, ${rows}::json)`);
}

async function update(tx: Db, changed: readonly Transition[]): Promise<void> {
  if (changed.length === 0) return;
  const rows = changed.map(({ after }) => {
    const { id, matched, call, counted } = after;
    return { id, matched, call, counted };
  });
  await tx.execute(sql`
    update feedback set matched = now.matched, call = now.call, counted = now.counted
    from json_to_recordset(${jsonRows(rows)}::json)
      as now (id text, matched text, call text, counted boolean)
    where feedback.id = now.id`);
}
