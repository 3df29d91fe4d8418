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
  const { tokens, usd } = call;
  const { calls_per_day, tokens_per_day, usd_per_day = null } = budget;
  if (tokens > tokens_per_day || (usd_per_day !== null && usd > usd_per_day)) return null;
  const rows = await rowsOf<Spent>(
    db,
    sql`insert into proposal_days as d (day, calls, tokens, usd)
      values (${day}, 1, ${tokens}, ${usd}::float8)
      on conflict (day) do update set calls = d.calls + 1, tokens = d.tokens + excluded.tokens,
        usd = d.usd + excluded.usd
      where d.calls + 1 <= ${calls_per_day}::int
        and d.tokens + excluded.tokens <= ${tokens_per_day}::bigint
        and (${usd_per_day}::float8 is null or d.usd + excluded.usd <= ${usd_per_day}::float8)
      returning calls::int as calls, tokens::float8 as tokens, usd::float8 as usd`,
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
      usd = usd + ${took.usd - aside.usd}::float8
    where day = ${day}`);
}

export async function spentOn(db: Db, day: string): Promise<Spent> {
  const rows = await rowsOf<Spent>(
    db,
    sql`select calls::int as calls, tokens::float8 as tokens, usd::float8 as usd
      from proposal_days where day = ${day}`,
  );
  return rows[0] ?? NOTHING_SPENT;
}
