import { z } from 'zod';
import { countSchema, nameSchema } from './schema-parts.ts';

/** `follow_ups` of `policies/oracle_policies.yaml`. */
export const followUpsSchema = z
  .strictObject({
    target: nameSchema.describe('The target that classifies; it sees what users wrote.'),
    agents: z.array(nameSchema).min(1).max(100).optional().describe('Whose turns; absent: all.'),
    budget: z
      .strictObject({
        calls_per_hour: countSchema.min(1).max(100_000).default(60),
        tokens_per_hour: countSchema.min(1).default(60_000).describe('Tokens in and out.'),
      })
      .prefault({})
      .describe('No call is made beyond it.'),
    timeout_ms: z.int().min(100).max(600_000).default(20_000).describe('Of one call.'),
    tokens_max: z.int().min(16).max(10_000).default(200).describe('Of one answer.'),
    failures_max: countSchema
      .min(1)
      .max(10)
      .default(3)
      .describe('Failures in a row after which it is not asked for an hour, then longer.'),
  })
  .describe('A model that classifies what users say next (docs/signals.md).');
