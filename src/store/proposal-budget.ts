import type { ProposalBudget } from '../core/prompt/proposal-policy.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';

/** What was spent on models on one day: calls, tokens in and out, USD. */
export interface Spent {
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

export const NOTHING_SPENT: Spent = { calls: 0, tokens: 0, usd: 0 };

const SPENT = 'calls::int as calls, tokens::float8 as tokens, usd_micros::float8 / 1000000 as usd';

/** Rounded up: a call costs what it costs, or a millionth more. */
function microsOf(usd: number): number {
  return Math.ceil(usd * 1e6 - 1e-6);
}

/**
 * Sets a call aside in one statement, durably and before it is made, or not at all: null where it
 * would exceed the day's budget. Its tokens and USD are an estimate until `settle`.
 */
export async function reserve(
  db: Db,
  day: string,
  call: Omit<Spent, 'calls'>,
  budget: ProposalBudget,
): Promise<Spent | null> {
  const { calls_per_day, tokens_per_day, usd_per_day } = budget;
  const { tokens } = call;
  const micros = microsOf(call.usd);
  const most = usd_per_day === undefined ? null : microsOf(usd_per_day);
  if (tokens > tokens_per_day || (most !== null && micros > most)) return null;
  const rows = await rowsOf<Spent>(
    db,
    sql`insert into proposal_days as d (day, calls, tokens, usd_micros)
      values (${day}, 1, ${tokens}::bigint, ${micros}::bigint)
      on conflict (day) do update set calls = d.calls + 1, tokens = d.tokens + excluded.tokens,
        usd_micros = d.usd_micros + excluded.usd_micros
      where d.calls + 1 <= ${calls_per_day}::int
        and d.tokens + excluded.tokens <= ${tokens_per_day}::bigint
        and (${most}::bigint is null or d.usd_micros + excluded.usd_micros <= ${most}::bigint)
      returning ${sql.raw(SPENT)}`,
  );
  return rows[0] ?? null;
}

/** What it really took, in the place of what was set aside. */
export async function settle(
  db: Db,
  day: string,
  aside: Omit<Spent, 'calls'>,
  took: Omit<Spent, 'calls'>,
): Promise<void> {
  await db.execute(sql`update proposal_days
    set tokens = tokens + ${took.tokens - aside.tokens}::bigint,
      usd_micros = usd_micros + ${microsOf(took.usd) - microsOf(aside.usd)}::bigint
    where day = ${day}`);
}

export async function spentOn(db: Db, day: string): Promise<Spent> {
  const rows = await rowsOf<Spent>(
    db,
    sql`select ${sql.raw(SPENT)} from proposal_days where day = ${day}`,
  );
  return rows[0] ?? NOTHING_SPENT;
}
