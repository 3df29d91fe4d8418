import type { Json, JsonObject } from '../../core/canonical.ts';
import {
  bigint,
  doublePrecision,
  index,
  jsonb,
  pgTable,
  primaryKey,
  sql,
  text,
} from '../drizzle.ts';
import { ms } from './columns.ts';

/**
 * The oracle's own records. Mutations, plans and experiments are whole rows (`row`), journalled
 * before they are committed; the columns beside it are what they are looked up by. `epoch` is the
 * one that wrote the row: an older one never overwrites it.
 */
export const mutations = pgTable(
  'mutations',
  {
    id: text().primaryKey(),
    epoch: bigint({ mode: 'number' }).notNull(),
    state: text().notNull(),
    agent: text().notNull(),
    seq: bigint({ mode: 'number' }),
    rollback_key: text(),
    plan: text(),
    row: jsonb().$type<JsonObject>().notNull(),
  },
  (table) => [
    index('mutations_state').on(table.state),
    index('mutations_rollback')
      .on(table.rollback_key)
      .where(sql`${table.rollback_key} is not null`),
  ],
);

export const plans = pgTable(
  'plans',
  {
    id: text().primaryKey(),
    epoch: bigint({ mode: 'number' }).notNull(),
    state: text().notNull(),
    row: jsonb().$type<JsonObject>().notNull(),
  },
  (table) => [index('plans_state').on(table.state)],
);

export const experiments = pgTable('experiments', {
  id: text().primaryKey(),
  epoch: bigint({ mode: 'number' }).notNull(),
  state: text().notNull(),
  agent: text().notNull(),
  /** A call above it is slow; frozen when the experiment starts, null where nobody can say. */
  slow_ms: doublePrecision(),
  row: jsonb().$type<JsonObject>().notNull(),
});

export const analyses = pgTable(
  'analyses',
  {
    id: text().primaryKey(),
    at_ms: ms('at_ms').notNull(),
    body: jsonb().$type<JsonObject>().notNull(),
  },
  (table) => [index('analyses_at').on(table.at_ms)],
);

export const findings = pgTable('findings', {
  id: text().primaryKey(),
  analysis: text().notNull(),
  at_ms: ms('at_ms').notNull(),
  body: jsonb().$type<JsonObject>().notNull(),
});

export const cycles = pgTable(
  'cycles',
  {
    id: text().primaryKey(),
    state: text().notNull(),
    started_ms: ms('started_ms').notNull(),
    ended_ms: ms('ended_ms'),
    stages: jsonb().$type<Readonly<Record<string, JsonObject>>>().notNull(),
  },
  (table) => [index('cycles_started').on(table.started_ms)],
);

export const verdicts = pgTable(
  'verdicts',
  {
    plan: text().notNull(),
    mutation: text().notNull(),
    gate: text().notNull(),
    at_ms: ms('at_ms').notNull(),
    verdict: text().notNull(),
    reason: text().notNull(),
    inputs_sha256: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.plan, table.mutation, table.gate, table.at_ms] })],
);

/** Who decided what, and why: approvals, rejections, rollbacks. */
export const audit = pgTable(
  'audit',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at_ms: ms('at_ms').notNull(),
    action: text().notNull(),
    subject: text().notNull(),
    by: text(),
    note: text(),
  },
  (table) => [index('audit_subject').on(table.subject)],
);

export const meta = pgTable('meta', {
  key: text().primaryKey(),
  value: jsonb().$type<Json>().notNull(),
});
