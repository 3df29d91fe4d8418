import { isRunId } from '../core/ab/entry.ts';
import type { CallEvent } from '../core/event.ts';
import { signalMetricsOf } from '../core/signals/metrics-of.ts';
import {
  CALL_COLUMNS,
  type CallFacts,
  feedsFindings,
  intendedOf,
  isEvidence,
  isUnpaid,
  rowOfCall,
  servedOf,
} from './call-row.ts';
import { anyOf, columnsGiven } from './columns-given.ts';
import { copyRows } from './copy-rows.ts';
import type { Deltas } from './deltas.ts';
import { sql } from './drizzle.ts';
import { countExposure, runFacts } from './exposure.ts';
import { measuresOf } from './rollup-row.ts';
import { type Db, isDuplicate, rowsOf } from './rows.ts';

/** The facts' columns of a row of `calls`, for raw queries. */
export const FACTS = sql.raw(
  `id, at_ms::float8 as at_ms, tenant, agent, unit, "user", session, intended, served, category,
   experiment, arm, share, outcome, arm_error, origin,
   case when position('@' in experiment) > 0 then
     (select run."row" -> 'entry' ->> 'unit' from experiments run where run.id = calls.experiment)
   end as ab_unit`,
);

const COLUMN_NAMES = sql.raw(
  Object.keys(CALL_COLUMNS)
    .map((name) => `"${name}"`)
    .join(', '),
);

/**
 * Stores calls and adds up what they show. A call that is stored already adds nothing, so a batch
 * that is read again after a crash counts once. Returns the calls that were new.
 */
export async function applyCalls(
  tx: Db,
  events: readonly CallEvent[],
  deltas: Deltas,
): Promise<readonly CallEvent[]> {
  if (events.length === 0) return [];
  const added = await insertCalls(tx, [
    ...new Map(events.map((event) => [event.id, event])).values(),
  ]);
  const slow = await slowBars(tx, added);
  const runs = await runFacts(tx, added);
  for (const call of added) {
    countCall(call, slow, deltas);
    if (isEvidence(call)) countExposure(call, { slow: slow.experiments, runs }, deltas);
  }
  await countOnParents(tx, added, deltas);
  return added;
}

/**
 * Nearly always all calls are new, and to copy them in as such costs a third less than to ask of
 * each. Where one was stored before, the attempt is undone and those that are new are inserted.
 */
async function insertCalls(tx: Db, calls: readonly CallEvent[]): Promise<readonly CallEvent[]> {
  try {
    await tx.transaction((attempt) =>
      copyRows(attempt, 'calls', CALL_COLUMNS, Iterator.from(calls).map(rowOfCall)),
    );
    return calls;
  } catch (thrown) {
    if (!isDuplicate(thrown)) throw thrown;
  }
  const rows = columnsGiven(CALL_COLUMNS, calls.map(rowOfCall));
  const stored = await rowsOf<{ id: string }>(
    tx,
    sql`insert into calls (${COLUMN_NAMES}) select * from ${rows} as rows
      on conflict (id) do nothing returning id`,
  );
  const added = new Set(stored.map(({ id }) => id));
  return calls.filter(({ id }) => added.has(id));
}

/** What is slow: of live experiments as they froze it, of agents as collect fixed it. */
interface SlowBars {
  readonly experiments: ReadonlyMap<string, number>;
  readonly agents: ReadonlyMap<string, number>;
}

async function slowBars(tx: Db, calls: readonly CallEvent[]): Promise<SlowBars> {
  const ids = [...new Set(calls.flatMap(({ experiment }) => experiment ?? []))];
  const rows = await rowsOf<{ id: string; kind: string; slow_ms: number }>(
    tx,
    sql`select agent as id, 'agent' as kind, slow_ms from slow_bars
      union all select id, 'experiment', slow_ms from experiments
        where slow_ms is not null and id = ${anyOf(ids)}`,
  );
  const of = (kind: string) =>
    new Map(rows.filter((row) => row.kind === kind).map(({ id, slow_ms }) => [id, slow_ms]));
  return { experiments: of('experiment'), agents: of('agent') };
}

function countCall(call: CallEvent, slow: SlowBars, deltas: Deltas): void {
  if (call.origin !== 'client') return;
  const where = intendedOf(call);
  if (call.outcome === 'rejected') {
    deltas.count(where, { rejected: 1 });
    return;
  }
  const { own } = signalMetricsOf(call);
  const bar_ms = slow.agents.get(call.agent) ?? Number.POSITIVE_INFINITY;
  const metrics: string[] = [...own];
  if (call.arm_error) metrics.push('error');
  if (call.outcome === 'aborted') metrics.push('abort');
  if (call.outcome === 'ok' && call.latency_ms > bar_ms) metrics.push('slow');
  deltas.count(where, countsOf(call, metrics), measured(call));
  if (feedsFindings(call.arm)) {
    deltas.fact(where, 'calls', 1, 'once');
    for (const metric of metrics) deltas.fact(where, metric, 1);
    if (call.arm_error) deltas.evidence(where, call.id, true);
  }
  if (call.unit.startsWith('c:')) deltas.conversationCall(where);
}

function countsOf(call: CallEvent, metrics: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = { calls: 1 };
  for (const metric of metrics) counts[metric] = 1;
  if (call.adapter !== null) counts[`adapter:${call.adapter}`] = 1;
  for (const { error } of call.attempts) if (error !== null) counts[`class:${error}`] = 1;
  return counts;
}

/** A failed call is quick or a timeout, and one that was given up has no end of its own. */
function measured(call: CallEvent) {
  const { outcome, ttft_ms, latency_ms, tokens, cost_usd } = call;
  if (outcome === 'aborted') return measuresOf({ ttft_ms });
  if (outcome !== 'ok') return [];
  if (isUnpaid(call)) return measuresOf({ ttft_ms, latency_ms });
  return measuresOf({
    ttft_ms,
    latency_ms,
    tokens_in: tokens.in,
    tokens_out: tokens.out,
    cost_usd,
  });
}

export interface Child {
  readonly parent: string | null;
  readonly tenant: string;
  readonly says: readonly string[];
}

/**
 * What a call says of an earlier one (a regeneration, a correction) counts against the earlier
 * call. Either may arrive first; the pair is counted when the second of the two does.
 */
async function countOnParents(tx: Db, added: readonly CallEvent[], deltas: Deltas): Promise<void> {
  const children = added.filter(isEvidence).flatMap((call): Child[] => {
    const says = signalMetricsOf(call).parent;
    return says.length === 0 ? [] : [{ parent: call.parent, tenant: call.tenant, says }];
  });
  const late = await lateChildren(tx, added);
  if (children.length === 0 && late.length === 0) return;
  const parents = [...children, ...late].flatMap(({ parent }) => parent ?? []);
  const own = new Map(added.map((call) => [call.id, call]));
  const facts = await factsOf(tx, [...new Set(parents)], own);
  countSaid([...children, ...late], facts, deltas);
}

/** What children say, at the targets that gave the answers it is said of. */
export function countSaid(
  children: readonly Child[],
  facts: ReadonlyMap<string, CallFacts>,
  deltas: Deltas,
): void {
  for (const { parent, tenant, says } of children) {
    const earlier = facts.get(parent ?? '');
    if (!earlier || earlier.tenant !== tenant || !isEvidence(earlier)) continue;
    const where = servedOf(earlier);
    deltas.count(where, Object.fromEntries(says.map((metric) => [metric, 1])));
    if (!feedsFindings(earlier.arm)) continue;
    for (const metric of says) deltas.fact(where, metric, 1);
  }
}

/** Stored calls of earlier batches that say something of one of these. */
async function lateChildren(tx: Db, added: readonly CallEvent[]): Promise<readonly Child[]> {
  if (added.length === 0) return [];
  const ids = added.map(({ id }) => id);
  const rows = await rowsOf<{ id: string; parent: string; tenant: string; says: string }>(
    tx,
    sql`select id, parent, tenant, says from calls
      where says is not null and parent = ${anyOf(ids)}`,
  );
  const own = new Set(ids);
  return rows
    .filter(({ id }) => !own.has(id))
    .map(({ parent, tenant, says }) => ({ parent, tenant, says: says.split(',') }));
}

/** Facts of these calls by id: of those of the batch itself as given, of others as stored. */
export async function factsOf(
  tx: Db,
  ids: readonly string[],
  known: ReadonlyMap<string, CallFacts>,
): Promise<ReadonlyMap<string, CallFacts>> {
  const facts = new Map<string, CallFacts>();
  const asked: string[] = [];
  for (const id of ids) {
    const call = known.get(id);
    // What an A/B run draws stands in the run's row, not in the call's event.
    if (call && !(call.experiment !== null && isRunId(call.experiment))) facts.set(id, call);
    else asked.push(id);
  }
  if (asked.length === 0) return facts;
  const stored = sql`select ${FACTS} from calls where id = ${anyOf(asked)}`;
  for (const call of await rowsOf<CallFacts>(tx, stored)) facts.set(call.id, call);
  return facts;
}
