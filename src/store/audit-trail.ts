import type { JsonObject } from '../core/canonical.ts';
import type { Analysis, Finding, GateVerdict } from '../core/oracle.ts';
import { desc, eq, inArray, sql } from './drizzle.ts';
import { type Db, jsonRows } from './rows.ts';
import { analyses, audit, cycles, findings, verdicts } from './schema/ledger.ts';

/** An analysis as it was answered, and its findings, so that a plan can name them by id. */
export async function insertAnalysis(db: Db, analysis: Analysis): Promise<void> {
  const { id, at_ms } = analysis;
  await db.execute(sql`
    insert into analyses (id, at_ms, body) values (${id}, ${at_ms}, ${body(analysis)}::jsonb)
    on conflict (id) do nothing`);
  if (analysis.findings.length === 0) return;
  const rows = analysis.findings.map((finding) => ({
    id: finding.id,
    analysis: id,
    at_ms,
    body: finding,
  }));
  await db.execute(sql`
    insert into findings (id, analysis, at_ms, body)
    select id, analysis, at_ms, body from jsonb_to_recordset(${jsonRows(rows)}::jsonb)
      as given (id text, analysis text, at_ms bigint, body jsonb)
    on conflict (id) do nothing`);
}

export async function readAnalysis(db: Db, id: string): Promise<Analysis | null> {
  const [found] = await db.select().from(analyses).where(eq(analyses.id, id));
  return found ? (found.body as unknown as Analysis) : null;
}

/**
 * What stood at the newest look over as long a window, so that what stands now can be told from
 * what is new: somebody's look at the last hour says nothing of the day's findings.
 */
export async function latestFindings(db: Db, window_ms: number): Promise<readonly Finding[]> {
  const span = sql`(body #>> '{window,to_ms}')::float8 - (body #>> '{window,from_ms}')::float8`;
  const [found] = await db
    .select()
    .from(analyses)
    .where(sql`abs(${span} - ${window_ms}) < ${HOUR_MS}`)
    .orderBy(desc(analyses.at_ms))
    .limit(1);
  return found ? (found.body as unknown as Analysis).findings : [];
}

/** In the order of `ids`; unknown ones are left out. */
export async function findingsByIds(db: Db, ids: readonly string[]): Promise<readonly Finding[]> {
  if (ids.length === 0) return [];
  const found = await db
    .select()
    .from(findings)
    .where(inArray(findings.id, [...ids]));
  const byId = new Map(found.map((row) => [row.id, row.body as unknown as Finding]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

const HOUR_MS = 3_600_000;

export interface CycleRow {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly started_ms: number;
  readonly ended_ms: number | null;
  readonly stages: Readonly<Record<string, JsonObject>>;
}

/** Each stage fills one column of the cycle's row, so the row is written again after each. */
export async function upsertCycle(db: Db, cycle: CycleRow): Promise<void> {
  const { id, state, started_ms, ended_ms, stages } = cycle;
  await db.execute(sql`
    insert into cycles (id, state, started_ms, ended_ms, stages)
    values (${id}, ${state}, ${started_ms}, ${ended_ms}, ${body(stages)}::jsonb)
    on conflict (id) do update set state = excluded.state, ended_ms = excluded.ended_ms,
      stages = excluded.stages`);
}

export async function readCycle(db: Db, id: string): Promise<CycleRow | null> {
  const [found] = await db.select().from(cycles).where(eq(cycles.id, id));
  return found ? (found as CycleRow) : null;
}

/** Newest first. */
export async function readCycles(db: Db, limit: number): Promise<readonly CycleRow[]> {
  const found = await db.select().from(cycles).orderBy(desc(cycles.started_ms)).limit(limit);
  return found as CycleRow[];
}

export async function insertVerdicts(
  db: Db,
  plan: string,
  at_ms: number,
  given: readonly GateVerdict[],
): Promise<void> {
  if (given.length === 0) return;
  const rows = given.map((verdict) => ({ ...verdict, plan, at_ms }));
  await db.execute(sql`
    insert into verdicts (plan, mutation, gate, at_ms, verdict, reason, inputs_sha256)
    select plan, mutation, gate, at_ms, verdict, reason, inputs_sha256
    from jsonb_to_recordset(${jsonRows(rows)}::jsonb) as given (plan text, mutation text,
      gate text, at_ms bigint, verdict text, reason text, inputs_sha256 text)
    on conflict do nothing`);
}

/** In order of time. */
export async function readVerdicts(
  db: Db,
  plan: string,
): Promise<readonly (GateVerdict & { readonly at_ms: number })[]> {
  const found = await db
    .select()
    .from(verdicts)
    .where(eq(verdicts.plan, plan))
    .orderBy(verdicts.at_ms);
  return found.map(({ plan: _plan, ...verdict }) => verdict as GateVerdict & { at_ms: number });
}

/** What a person or the oracle did to a row, and why. */
export interface AuditEntry {
  readonly at_ms: number;
  readonly action: string;
  /** The plan's or the mutation's id. */
  readonly subject: string;
  readonly by: string | null;
  readonly note: string | null;
}

export async function insertAudit(db: Db, entry: AuditEntry): Promise<void> {
  await db.insert(audit).values({ ...entry });
}

/** In order of time, of one subject or of all. */
export async function readAudit(db: Db, subject?: string): Promise<readonly AuditEntry[]> {
  const found = await db
    .select()
    .from(audit)
    .where(subject === undefined ? undefined : eq(audit.subject, subject))
    .orderBy(audit.id);
  return found.map(({ id: _id, ...entry }) => entry);
}

function body(value: object): string {
  return jsonRows([value]).slice(1, -1);
}
