import type { JsonObject } from '../../core/canonical.ts';
import type { SampleTurn } from '../../core/prompt/sample.ts';
import { bigint, index, integer, jsonb, pgTable, text } from '../drizzle.ts';
import { ms } from './columns.ts';

/**
 * What was said in calls, where `capture.bodies` asks for it: in no other table, and in no journal.
 * Deleted by retention, with their user, and all of them where the policy turns it off.
 */
export const promptSamples = pgTable(
  'prompt_samples',
  {
    call: text().primaryKey(),
    at_ms: ms('at_ms').notNull(),
    tenant: text().notNull(),
    agent: text().notNull(),
    unit: text().notNull(),
    user: text(),
    session: text(),
    served: text().notNull(),
    /** `reflect` or `held_out`, by the unit's hash: no unit is in both. */
    half: text().notNull(),
    /** `new` until feedback has matured; then `worst`, `corrected` or `random`. */
    label: text().notNull(),
    bytes: integer().notNull(),
    turns: jsonb().$type<readonly SampleTurn[]>().notNull(),
    answer: text().notNull(),
  },
  (table) => [
    index('prompt_samples_agent').on(table.agent, table.half, table.at_ms),
    index('prompt_samples_label').on(table.label, table.at_ms),
  ],
);

/** Prompts that a model proposed; `row` is the whole candidate. */
export const promptCandidates = pgTable(
  'prompt_candidates',
  {
    id: text().primaryKey(),
    at_ms: ms('at_ms').notNull(),
    agent: text().notNull(),
    state: text().notNull(),
    row: jsonb().$type<JsonObject>().notNull(),
  },
  (table) => [index('prompt_candidates_agent').on(table.agent, table.at_ms)],
);

/** What was spent on models, a UTC day of the wall clock. */
export const proposalDays = pgTable('proposal_days', {
  day: text().primaryKey(),
  calls: integer().notNull(),
  /** In and out; of a call that is under way, or whose end nobody saw, what was set aside. */
  tokens: bigint({ mode: 'number' }).notNull(),
  /** Whole millionths of a USD, so that sums are exact. */
  usd_micros: bigint({ mode: 'number' }).notNull(),
});
