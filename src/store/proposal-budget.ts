import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';

/** What was spent on models in one period: calls, tokens in and out, USD. */
export interface Spent {
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

/** The most of it; USD where it has a bound. */
export interface Budget {
  readonly calls: number;
  readonly tokens: number;
  readonly usd?: number | undefined;
}

export const NOTHING_SPENT: Spent = { calls: 0, tokens: 0, usd: 0 };

const SPENT = 'calls::int as calls, tokens::float8 as tokens, usd_micros::float8 / 1000000 as usd';

/** Rounded up: a call costs what it costs, or a millionth more. */
function microsOf(usd: number): number {
  return Math.ceil(usd * 1e6 - 1e-6);
}

/**
 * Sets a call aside in one statement, durably and before it is made, or not at all: null where it
 * would exceed the period's budget. Its tokens and USD are an estimate until `settle`.
 */
export async function reserve(
  db: Db,
  period: string,
  call: Omit<Spent, 'calls'>,
  budget: Budget,
): Promise<Spent | null> {
  const { tokens } = call;
  const micros = microsOf(call.usd);
  const most = budget.usd === undefined ? null : microsOf(budget.usd);
  if (tokens > budget.tokens || (most !== null && micros > most)) return null;
  const rows = await rowsOf<Spent>(
    db,
    sql`insert into proposal_days as d (day, calls, tokens, usd_micros)
      values (${period}, 1, ${tokens}::bigint, ${micros}::bigint)
      on conflict (day) do update set calls = d.calls + 1, tokens = d.tokens + excluded.tokens,
        usd_micros = d.usd_micros + excluded.usd_micros
      where d.calls + 1 <= ${budget.calls}::int
        and d.tokens + excluded.tokens <= ${budget.tokens}::bigint
        and (${most}::bigint is null or d.usd_micros + excluded.usd_micros <= ${most}::bigint)
      returning ${sql.raw(SPENT)}`,
  );
  return rows[0] ?? null;
}

/** What it really took, in the place of what was set aside. */
export async function settle(
  db: Db,
  period: string,
  aside: Omit<Spent, 'calls'>,
  took: Omit<Spent, 'calls'>,
): Promise<void> {
  await db.execute(sql`update proposal_days
    set tokens = tokens + ${took.tokens - aside.tokens}::bigint,
      usd_micros = usd_micros + ${microsOf(took.usd) - microsOf(aside.usd)}::bigint
    where day = ${period}`);
}

export async function spentOn(db: Db, period: string): Promise<Spent> {
  const rows = await rowsOf<Spent>(
    db,
    sql`select ${sql.raw(SPENT)} from proposal_days where day = ${period}`,
  );
  return rows[0] ?? NOTHING_SPENT;
}

/** Deletes the sums of periods that begin so and come before this one. */
export async function forgetSpent(db: Db, prefix: string, before: string): Promise<void> {
  await db.execute(sql`delete from proposal_days
    where starts_with(day, ${prefix}) and day < ${before}`);
}
