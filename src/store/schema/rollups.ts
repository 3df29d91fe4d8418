import {
  bigint,
  doublePrecision,
  index,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  sql,
  text,
} from '../drizzle.ts';
import { count, ms } from './columns.ts';

/**
 * Clients' calls and what was said of them, by the minute, hour and day of the call and by cell of
 * traffic; '' stands for all. Everything in a row is a sum, a count or a sketch, so the order in
 * which writers are read does not matter.
 */
export const rollups = pgTable(
  'rollups',
  {
    /** 60,000, 3,600,000 or 86,400,000. */
    span_ms: ms('span_ms').notNull(),
    /** When the span begins. */
    at_ms: ms('at_ms').notNull(),
    /** `control` also of calls outside experiments: what findings are made of; else the arm. */
    arm: text().notNull(),
    agent: text().notNull(),
    target: text().notNull(),
    tenant: text().notNull(),
    category: text().notNull(),
    calls: count('calls'),
    /** Counts by name; what is 0 is left out. */
    counts: jsonb().$type<Readonly<Record<string, number>>>().notNull(),
    /** Of hours and days: distinct units by metric (`unitsAt` in `unit-day.ts`). */
    units: jsonb().$type<Readonly<Record<string, readonly number[]>>>(),
    /** The sketches of both halves of units (`sketch-text.ts`). */
    sketches: text(),
    /** Of hours: `[at_ms, id]` of calls that failed or left somebody dissatisfied. */
    evidence: jsonb().$type<readonly (readonly [number, string])[]>(),
    /** Of both halves; null where nothing was measured. What series are read from. */
    latency_p50_ms: doublePrecision(),
    latency_p95_ms: doublePrecision(),
    ttft_p50_ms: doublePrecision(),
    tokens_mean: doublePrecision(),
    cost_mean_usd: doublePrecision(),
  },
  (table) => [
    primaryKey({
      columns: [
        table.span_ms,
        table.at_ms,
        table.arm,
        table.agent,
        table.target,
        table.tenant,
        table.category,
      ],
    }),
  ],
);

/**
 * What batches add to rollups and is not added yet: to read, add to and write the rows of every
 * cell is dear, so it is done once for several batches, and before anybody reads.
 */
export const rollupParts = pgTable('rollup_parts', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  /** A JSON list of rows in short. */
  rows: text().notNull(),
});

/** Which spans were written by which transaction, so that a reader reads again what has changed. */
export const rollupChanges = pgTable(
  'rollup_changes',
  {
    span_ms: ms('span_ms').notNull(),
    at_ms: ms('at_ms').notNull(),
    change: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.span_ms, table.at_ms] })],
);

/**
 * What happened to a unit in a day, of control and unexposed traffic: from it distinct units are
 * counted as it changes, and exactly taken back when a rater thinks again.
 */
export const unitFacts = pgTable(
  'unit_facts',
  {
    day_ms: ms('day_ms').notNull(),
    agent: text().notNull(),
    unit: text().notNull(),
    /** 0 where `unitFraction('split', unit)` is below a half, else 1. */
    half: smallint().notNull(),
    /** Of a conversation only: with too many calls it is no single user and is left out. */
    calls: count('calls'),
    /** `{combination: {metric: {hour of the day: events}}}` (`unit-day.ts`). */
    seen: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.day_ms, table.agent, table.unit] }),
    index('unit_facts_busy').on(table.unit).where(sql`${table.calls} > 200`),
  ],
);

/** The latency above which a call of an agent is slow; it stands until it is fixed anew. */
export const slowBars = pgTable('slow_bars', {
  agent: text().primaryKey(),
  slow_ms: doublePrecision('slow_ms').notNull(),
  since_ms: ms('since_ms').notNull(),
});
