import type { JsonObject } from '../core/canonical.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf, storableJson } from './rows.ts';

/** A stored candidate; `row` is whole, the rest is what it is looked up by. */
export interface CandidateRow {
  readonly id: string;
  readonly at_ms: number;
  readonly agent: string;
  readonly state: string;
  readonly row: JsonObject;
}

/** Of one agent; those that are under way or on the front stay, whatever their age. */
const KEPT_MAX = 200;

export async function writeCandidate(db: Db, candidate: CandidateRow): Promise<void> {
  const { id, at_ms, agent, state, row } = candidate;
  await db.execute(sql`
    insert into prompt_candidates (id, at_ms, agent, state, row)
    values (${id}, ${at_ms}, ${agent}, ${state}, ${storableJson(row)}::text::jsonb)
    on conflict (id) do update set state = excluded.state, row = excluded.row`);
}

/** Newest first. */
export function readCandidates(db: Db, limit: number, agent: string | null = null) {
  return rowsOf<CandidateRow>(
    db,
    sql`select id, at_ms::float8 as at_ms, agent, state, row from prompt_candidates
      where ${agent}::text is null or agent = ${agent}::text
      order by at_ms desc, id desc limit ${limit}`,
  );
}

export async function readCandidate(db: Db, id: string): Promise<CandidateRow | null> {
  const rows = await rowsOf<CandidateRow>(
    db,
    sql`select id, at_ms::float8 as at_ms, agent, state, row from prompt_candidates
      where id = ${id}`,
  );
  return rows[0] ?? null;
}

/** Old candidates that came to nothing go. */
export async function pruneCandidates(db: Db, kept_max = KEPT_MAX): Promise<void> {
  await db.execute(sql`
    delete from prompt_candidates where id in (
      select id from (
        select id, row_number() over (partition by agent order by at_ms desc) as place
        from prompt_candidates where state not in ('checking', 'passed', 'planned')) as ordered
      where place > ${kept_max})`);
}
