import type { CallEvent } from '../core/event.ts';
import type { Deltas, MinuteKey } from './deltas.ts';
import { sql } from './drizzle.ts';
import { type Db, jsonRows, rowsOf } from './rows.ts';

/** What of a stored call the rollups need, when something is said of it later. */
export interface CallFacts {
  readonly id: string;
  readonly at_ms: number;
  readonly tenant: string;
  readonly agent: string;
  readonly unit: string;
  readonly intended: string | null;
  readonly served: string | null;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly share: number | null;
  readonly outcome: string;
  readonly origin: string;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export function floorTo(at_ms: number, span_ms: number): number {
  return Math.floor(at_ms / span_ms) * span_ms;
}

/** The facts' columns of a row of `calls`, for raw queries. */
export const FACTS = sql.raw(
  `id, at_ms::float8 as at_ms, tenant, agent, unit, intended, served, experiment, arm, share,
   outcome, origin`,
);

/** Ids as one parameter, in a form that an index serves. */
export const anyOf = (ids: readonly string[]) =>
  sql`any(array(select json_array_elements_text(${JSON.stringify(ids)}::json)))`;

/** Whether a call is evidence: a client's, and not one that we refused. */
export function isEvidence(call: Pick<CallFacts, 'origin' | 'outcome'>): boolean {
  return call.origin === 'client' && call.outcome !== 'rejected';
}

/** Findings are made of control and unexposed traffic: the canary's is the monitor's alone. */
export function feedsFindings(arm: string | null): boolean {
  return arm === null || arm === 'control';
}

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
  const byId = new Map(events.map((event) => [event.id, event]));
  const rows = jsonRows([...byId.values()].map(rowOf));
  const stored = await rowsOf<{ id: string }>(
    tx,
    sql`insert into calls select * from json_populate_recordset(null::calls, ${rows}::json)
      on conflict (id) do nothing returning id`,
  );
  const added = stored.flatMap(({ id }) => byId.get(id) ?? []);
  const slow = await slowThresholds(tx, added);
  for (const call of added) countCall(call, slow, deltas);
  await countRegenerations(tx, added, deltas);
  return added;
}

function rowOf(event: CallEvent): object {
  const { attempts, tokens, type: _type, v: _v, ...rest } = event;
  return {
    ...rest,
    attempts: attempts.length,
    tokens_in: Math.round(tokens.in),
    tokens_cached: Math.round(tokens.cached),
    tokens_out: Math.round(tokens.out),
    tokens_estimated: tokens.estimated,
  };
}

/** What each live experiment calls slow; those that cannot say are not in it. */
async function slowThresholds(
  tx: Db,
  calls: readonly CallEvent[],
): Promise<ReadonlyMap<string, number>> {
  const ids = [...new Set(calls.flatMap(({ experiment }) => experiment ?? []))];
  if (ids.length === 0) return new Map();
  const rows = await rowsOf<{ id: string; slow_ms: number }>(
    tx,
    sql`select id, slow_ms from experiments where slow_ms is not null and id = ${anyOf(ids)}`,
  );
  return new Map(rows.map(({ id, slow_ms }) => [id, slow_ms]));
}

/** Of a call's errors and times: the target that was chosen, also where another then served it. */
function intendedMinute(call: CallFacts): MinuteKey {
  return {
    minute_ms: floorTo(call.at_ms, MINUTE_MS),
    agent: call.agent,
    target: call.intended ?? call.served ?? '',
    tenant: call.tenant,
    arm: call.arm ?? 'none',
  };
}

function countCall(call: CallEvent, slow: ReadonlyMap<string, number>, deltas: Deltas): void {
  if (call.origin !== 'client') return;
  const minute = intendedMinute(call);
  if (call.outcome === 'rejected') {
    deltas.minute(minute, { rejected: 1 });
    return;
  }
  const errors = call.arm_error ? 1 : 0;
  const aborted = call.outcome === 'aborted' ? 1 : 0;
  deltas.minute(minute, {
    calls: 1,
    errors,
    aborted,
    retries: call.relation === 'retry' ? 1 : 0,
    latency_sum_ms: call.latency_ms,
    tokens_in: call.tokens.in,
    tokens_out: call.tokens.out,
    cost_sum_usd: call.cost_usd ?? 0,
  });
  if (feedsFindings(call.arm)) {
    const { agent, target, tenant } = minute;
    const hour_ms = floorTo(call.at_ms, HOUR_MS);
    const key = { hour_ms, agent, target, tenant, unit: call.unit };
    deltas.unitHour(key, { calls: 1, errors, aborted });
  }
  if (call.unit.startsWith('c:')) deltas.unitDay(floorTo(call.at_ms, DAY_MS), call.unit);
  countExposure(call, slow, deltas);
}

function countExposure(call: CallEvent, slow: ReadonlyMap<string, number>, deltas: Deltas): void {
  const { experiment, arm, share, unit, at_ms } = call;
  if (experiment === null || arm === null) return;
  const slow_ms = slow.get(experiment) ?? Number.POSITIVE_INFINITY;
  const shown = {
    assigned: true,
    error: call.arm_error,
    slow: call.latency_ms > slow_ms,
    abort: call.outcome === 'aborted',
  };
  for (const [metric, happened] of Object.entries(shown)) {
    if (!happened) continue;
    deltas.experimentUnit({ experiment, metric, unit, arm, share: share ?? 0, at_ms }, 1);
  }
}

/**
 * A regeneration counts against the earlier call. Either may arrive first; the pair is counted when
 * the second of the two does.
 */
async function countRegenerations(
  tx: Db,
  added: readonly CallEvent[],
  deltas: Deltas,
): Promise<void> {
  const again = added.filter((call) => call.relation === 'regeneration' && isEvidence(call));
  const parents = again.flatMap(({ parent }) => parent ?? []);
  const ids = added.map(({ id }) => id);
  const late = await rowsOf<{ parent: string; tenant: string }>(
    tx,
    sql`select parent, tenant from calls
      where relation = 'regeneration' and origin = 'client' and outcome <> 'rejected'
        and parent = ${anyOf(ids)} and id <> all(array(
          select json_array_elements_text(${JSON.stringify(again.map(({ id }) => id))}::json)))`,
  );
  if (parents.length === 0 && late.length === 0) return;
  const wanted = [...new Set([...parents, ...late.map(({ parent }) => parent)])];
  const facts = new Map((await readFacts(tx, wanted)).map((call) => [call.id, call]));
  for (const { parent, tenant } of [...again, ...late]) {
    const earlier = facts.get(parent ?? '');
    if (!earlier || earlier.tenant !== tenant || !isEvidence(earlier)) continue;
    deltas.minute(intendedMinute(earlier), { regenerations: 1 });
  }
}

export function readFacts(tx: Db, ids: readonly string[]): Promise<readonly CallFacts[]> {
  return rowsOf<CallFacts>(tx, sql`select ${FACTS} from calls where id = ${anyOf(ids)}`);
}
