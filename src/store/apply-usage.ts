import type { UsageEvent } from '../core/event.ts';
import { factsOf } from './apply-calls.ts';
import { intendedOf, isEvidence, tokenColumns } from './call-row.ts';
import type { Deltas } from './deltas.ts';
import { sql } from './drizzle.ts';
import { countPaid, runFacts } from './exposure.ts';
import { measuresOf } from './rollup-row.ts';
import { type Db, jsonRows, rowsOf } from './rows.ts';

/** What one call is told to have cost. */
interface Paid {
  readonly id: string;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly cost_usd: number | null;
}

/**
 * Charges calls with what their answers in the background have cost, each once: a row that has its
 * tokens waits for none. One whose call is not stored is left out.
 */
export async function applyUsage(
  tx: Db,
  events: readonly UsageEvent[],
  deltas: Deltas,
): Promise<void> {
  if (events.length === 0) return;
  const byCall = new Map(events.map((event) => [event.call, event]));
  const rows = [...byCall.values()].map(({ call, tenant, tokens, cost_usd }) => ({
    call,
    tenant,
    ...tokenColumns(tokens),
    cost_usd,
  }));
  const paid = await rowsOf<Paid>(
    tx,
    sql`update calls c set tokens_in = u.tokens_in, tokens_cached = u.tokens_cached,
        tokens_out = u.tokens_out, tokens_estimated = false, cost_usd = u.cost_usd
      from json_to_recordset(${jsonRows(rows)}::json) as u (call text, tenant text,
        tokens_in int, tokens_cached int, tokens_out int, cost_usd float8)
      where c.id = u.call and c.tenant = u.tenant and ${WAITS}
      returning c.id, c.tokens_in, c.tokens_out, c.cost_usd`,
  );
  const ids = paid.map(({ id }) => id);
  const facts = await factsOf(tx, ids, new Map());
  const runs = await runFacts(tx, [...facts.values()]);
  for (const { id, tokens_in, tokens_out, cost_usd } of paid) {
    const call = facts.get(id);
    if (!call || !isEvidence(call)) continue;
    deltas.count(intendedOf(call), {}, measuresOf({ tokens_in, tokens_out, cost_usd }));
    countPaid(call, { tokens_out, cost: cost_usd }, runs, deltas);
  }
}

/** As `isUnpaid` says of an event. */
const WAITS = sql.raw(`c.outcome = 'ok' and c.tokens_estimated and c.tokens_in = 0
  and c.tokens_out = 0 and c.served is not null and c.finish is null`);
