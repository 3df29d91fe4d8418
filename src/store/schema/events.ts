import type { Decision } from '../../core/call.ts';
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  sql,
  text,
} from '../drizzle.ts';
import { count, ms } from './columns.ts';

/** How far each journal segment has been applied; committed with what was applied. */
export const cursors = pgTable('cursors', {
  segment: text().primaryKey(),
  offset: bigint({ mode: 'number' }).notNull(),
  /** Read to its end, and nobody writes to it any more. */
  done: boolean().notNull(),
});

/** Journal lines that could not be read, and records that could not be applied. */
export const deadLetters = pgTable('dead_letters', {
  /** `<segment>:<offset>`. */
  id: text().primaryKey(),
  segment: text().notNull(),
  offset: bigint({ mode: 'number' }).notNull(),
  length: bigint({ mode: 'number' }).notNull(),
  reason: text().notNull(),
  /** The line's first bytes in base64. */
  bytes: text().notNull(),
});

export const calls = pgTable(
  'calls',
  {
    id: text().primaryKey(),
    /** The client's own; null where it sent none, and the call's id is its name. */
    request_id: text(),
    completion_id: text(),
    at_ms: ms('at_ms').notNull(),
    tenant: text().notNull(),
    key: text().notNull(),
    agent: text().notNull(),
    unit: text().notNull(),
    user: text(),
    session: text(),
    parent: text(),
    relation: text(),
    version: text().notNull(),
    experiment: text(),
    arm: text(),
    share: doublePrecision(),
    decisions: jsonb().$type<readonly Decision[]>().notNull(),
    intended: text(),
    served: text(),
    adapter: text(),
    attempts: integer().notNull(),
    ttft_ms: doublePrecision(),
    latency_ms: doublePrecision().notNull(),
    tokens_in: integer().notNull(),
    tokens_cached: integer().notNull(),
    tokens_out: integer().notNull(),
    tokens_estimated: boolean().notNull(),
    cost_usd: doublePrecision(),
    outcome: text().notNull(),
    arm_error: boolean().notNull(),
    finish: text(),
    category: text(),
    /** Metrics that this call counts for against its parent's unit, with commas between. */
    says: text(),
    markers: jsonb().$type<readonly string[]>().notNull(),
    origin: text().notNull(),
  },
  (table) => [
    index('calls_at').using('brin', table.at_ms),
    index('calls_request').on(table.request_id).where(sql`${table.request_id} is not null`),
    // Its hash: ids of completions are long and random, and every call makes an entry.
    index('calls_completion')
      .on(sql`hashtext(${table.completion_id})`)
      .where(sql`${table.completion_id} is not null`),
    index('calls_session').on(table.session, table.at_ms).where(sql`${table.session} is not null`),
    index('calls_experiment')
      .on(table.experiment, table.arm, table.at_ms)
      .where(sql`${table.experiment} is not null`),
    index('calls_parent').on(table.parent).where(sql`${table.says} is not null`),
    index('calls_routed')
      .on(table.agent, table.at_ms)
      .where(sql`${table.decisions} @> '[{"name": "model-router"}]'`),
  ],
);

export const feedback = pgTable(
  'feedback',
  {
    id: text().primaryKey(),
    at_ms: ms('at_ms').notNull(),
    tenant: text().notNull(),
    rater: text().notNull(),
    key: text().notNull(),
    channel: text().notNull(),
    signal: text().notNull(),
    value: doublePrecision().notNull(),
    text: text(),
    named_call: text(),
    completion_id: text(),
    request_id: text(),
    session: text(),
    agent: text(),
    idempotency: text(),
    /** Who said what of what, as one string: the same twice within a day is one. */
    said: text().notNull(),
    /** `call`, `session`, `agent` or `none`: what it is matched to now. */
    matched: text().notNull(),
    call: text(),
    /** Said before: kept, and counted nowhere. */
    duplicate: boolean().notNull(),
    /** Whether it is in the rollups now; the newest of (rater, call, signal) is. */
    counted: boolean().notNull(),
  },
  (table) => [
    index('feedback_call').on(table.call).where(sql`${table.counted}`),
    index('feedback_complaint')
      .on(table.at_ms)
      .where(sql`${table.counted} and ${table.signal} = 'complaint'`),
    index('feedback_said').on(table.said, table.at_ms).where(sql`not ${table.duplicate}`),
    index('feedback_idempotency')
      .on(table.idempotency)
      .where(sql`${table.idempotency} is not null`),
    index('feedback_open')
      .on(table.at_ms)
      .where(sql`${table.call} is null and not ${table.duplicate}`),
    index('feedback_wants_call')
      .on(table.named_call)
      .where(sql`${table.call} is null and not ${table.duplicate}`),
    index('feedback_wants_completion').on(table.completion_id).where(sql`${table.call} is null`),
    index('feedback_wants_request')
      .on(table.request_id)
      .where(sql`${table.call} is null and not ${table.duplicate}`),
    index('feedback_wants_session')
      .on(table.session)
      .where(sql`${table.call} is null and not ${table.duplicate}`),
    index('feedback_at').on(table.at_ms),
  ],
);

/** What applications measured and reported themselves. */
export const reports = pgTable('reports', {
  id: text().primaryKey(),
  at_ms: ms('at_ms').notNull(),
  tenant: text().notNull(),
  agent: text(),
  session: text(),
  values: jsonb().$type<Readonly<Record<string, number>>>().notNull(),
});

/**
 * A unit in an experiment, once a metric: the arm, share and time of the first call that shows it.
 * The earliest call wins whatever the order of arrival, so a rebuilt store holds the same rows.
 */
export const experimentUnits = pgTable(
  'experiment_units',
  {
    experiment: text().notNull(),
    metric: text().notNull(),
    unit: text().notNull(),
    arm: text().notNull(),
    share: doublePrecision().notNull(),
    at_ms: ms('at_ms').notNull(),
    /** Events of the metric that stand; 0 where the user has changed their mind. */
    events: count('events'),
  },
  (table) => [primaryKey({ columns: [table.experiment, table.metric, table.unit] })],
);

/**
 * Which arm of an experiment a unit was in at a share, and when it called there for the first and
 * the last time, so that a tick reads units and not their calls.
 */
export const exposures = pgTable(
  'exposures',
  {
    experiment: text().notNull(),
    share: doublePrecision().notNull(),
    arm: text().notNull(),
    unit: text().notNull(),
    first_ms: ms('first_ms').notNull(),
    last_ms: ms('last_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.experiment, table.share, table.arm, table.unit] })],
);

/** What batches have brought that routes are learned from: see `writeRouteNews`. */
export const routeNews = pgTable('route_news', {
  batch: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  /** When the first of its routed calls began; null where it has none. */
  from_ms: bigint({ mode: 'number' }),
  /** Routed calls of which something was said, or taken back. */
  said: text().array(),
});

/** Canary arms that the gateway withheld by itself, for the worker to make a row's state of. */
export const withheld = pgTable(
  'withheld',
  {
    experiment: text().notNull(),
    /** The permit's epoch at that time. */
    epoch: bigint({ mode: 'number' }).notNull(),
    at_ms: ms('at_ms').notNull(),
    cause: text().notNull(),
    reason: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.experiment, table.epoch, table.at_ms] })],
);
