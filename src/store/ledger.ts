import type { SQL } from 'drizzle-orm';
import type { Json, JsonObject } from '../core/canonical.ts';
import type { LedgerChange } from '../core/event.ts';
import { and, desc, eq, inArray, sql } from './drizzle.ts';
import { type Db, jsonRows } from './rows.ts';
import { experiments, meta, mutations, plans } from './schema/ledger.ts';

/**
 * A row of the ledger as the oracle wrote it. The store looks only at the keys that have a column;
 * the shape of the rest is the oracle's own.
 */
export interface LedgerRow {
  readonly id: string;
  readonly state: string;
  /** The epoch that wrote it. */
  readonly epoch: number;
  readonly row: JsonObject;
}

/**
 * Writes whole rows. A row that a higher epoch wrote stays, so a record replayed from the journal,
 * or a worker that lost its office, changes nothing; the same epoch writes again what it wrote. The
 * store's epoch is raised to at least this one.
 */
export async function upsertLedger(
  db: Db,
  changes: readonly LedgerChange[],
  epoch: number,
): Promise<void> {
  for (const table of ['mutations', 'plans', 'experiments'] as const) {
    // Of two changes of one row in one event the later stands: one statement may write a row once.
    const byId = new Map(
      changes
        .filter((change) => change.table === table)
        .map(({ row }) => [JSON.stringify(row.id), { ...row, epoch, row }]),
    );
    if (byId.size > 0) await db.execute(UPSERTS[table](jsonRows([...byId.values()])));
  }
  await db.execute(sql`
    insert into meta (key, value) values ('epoch', to_jsonb(${epoch}::float8))
    on conflict (key) do update set value = excluded.value
    where (meta.value)::float8 < (excluded.value)::float8`);
}

const UPSERTS: Record<LedgerChange['table'], (rows: string) => SQL> = {
  mutations: (rows) => sql`
    insert into mutations (id, epoch, state, agent, seq, rollback_key, plan, "row")
    select id, epoch, state, agent, seq, rollback_key, plan, "row"
    from jsonb_to_recordset(${rows}::jsonb) as given (id text, epoch bigint, state text,
      agent text, seq bigint, rollback_key text, plan text, "row" jsonb)
    on conflict (id) do update set epoch = excluded.epoch, state = excluded.state,
      agent = excluded.agent, seq = excluded.seq, rollback_key = excluded.rollback_key,
      plan = excluded.plan, "row" = excluded."row"
    where mutations.epoch <= excluded.epoch`,
  plans: (rows) => sql`
    insert into plans (id, epoch, state, "row") select id, epoch, state, "row"
    from jsonb_to_recordset(${rows}::jsonb)
      as given (id text, epoch bigint, state text, "row" jsonb)
    on conflict (id) do update set epoch = excluded.epoch, state = excluded.state,
      "row" = excluded."row"
    where plans.epoch <= excluded.epoch`,
  experiments: (rows) => sql`
    insert into experiments (id, epoch, state, agent, slow_ms, "row")
    select id, epoch, state, agent, slow_ms, "row"
    from jsonb_to_recordset(${rows}::jsonb) as given (id text, epoch bigint, state text,
      agent text, slow_ms float8, "row" jsonb)
    on conflict (id) do update set epoch = excluded.epoch, state = excluded.state,
      agent = excluded.agent, slow_ms = excluded.slow_ms, "row" = excluded."row"
    where experiments.epoch <= excluded.epoch`,
};

export interface MutationFilter {
  readonly ids?: readonly string[];
  readonly states?: readonly string[];
  readonly agent?: string;
  readonly rollback_key?: string;
  readonly plan?: string;
}

/** In order of `seq`, those without one last, then of id. */
export function readMutations(
  db: Db,
  { ids, states, agent, rollback_key, plan }: MutationFilter = {},
): Promise<readonly LedgerRow[]> {
  const { id, state, epoch, row } = mutations;
  return db
    .select({ id, state, epoch, row })
    .from(mutations)
    .where(
      and(
        ids && inArray(mutations.id, [...ids]),
        states && inArray(mutations.state, [...states]),
        agent === undefined ? undefined : eq(mutations.agent, agent),
        rollback_key === undefined ? undefined : eq(mutations.rollback_key, rollback_key),
        plan === undefined ? undefined : eq(mutations.plan, plan),
      ),
    )
    .orderBy(mutations.seq, mutations.id);
}

export interface PlanFilter {
  readonly ids?: readonly string[];
  readonly state?: string;
  readonly limit?: number;
}

/** Newest first. */
export function readPlans(
  db: Db,
  { ids, state: wanted, limit = 1000 }: PlanFilter = {},
): Promise<readonly LedgerRow[]> {
  const { id, state, epoch, row } = plans;
  return db
    .select({ id, state, epoch, row })
    .from(plans)
    .where(
      and(
        ids && inArray(plans.id, [...ids]),
        wanted === undefined ? undefined : eq(plans.state, wanted),
      ),
    )
    .orderBy(desc(plans.id))
    .limit(limit);
}

export interface ExperimentFilter {
  readonly ids?: readonly string[];
  readonly states?: readonly string[];
  readonly agent?: string;
}

/** In order of id, which is the order in which they were made. */
export function readExperiments(
  db: Db,
  { ids, states, agent }: ExperimentFilter = {},
): Promise<readonly LedgerRow[]> {
  const { id, state, epoch, row } = experiments;
  return db
    .select({ id, state, epoch, row })
    .from(experiments)
    .where(
      and(
        ids && inArray(experiments.id, [...ids]),
        states && inArray(experiments.state, [...states]),
        agent === undefined ? undefined : eq(experiments.agent, agent),
      ),
    )
    .orderBy(experiments.id);
}

/** The highest epoch ever committed; 0 in a new store. */
export async function readEpoch(db: Db): Promise<number> {
  const epoch = await readMeta(db, 'epoch');
  return typeof epoch === 'number' ? epoch : 0;
}

export async function readMeta(db: Db, key: string): Promise<Json | undefined> {
  const [found] = await db.select().from(meta).where(eq(meta.key, key));
  return found?.value;
}

export async function writeMeta(db: Db, key: string, value: Json): Promise<void> {
  const text = JSON.stringify(value);
  await db.execute(sql`
    insert into meta (key, value) values (${key}, ${text}::jsonb)
    on conflict (key) do update set value = excluded.value`);
}
