import { z } from 'zod';
import {
  countSchema,
  jsonObjectSchema,
  nameSchema,
  promptReferenceSchema,
} from './schema-parts.ts';

/** `experiments:` of `policies/gateway.yaml`: A/B tests that people write. */

const METRICS = [
  'rating',
  'success',
  'dissatisfied',
  'abort',
  'latency',
  'ttft',
  'cost',
  'tokens_out',
] as const;

const setSchema = z
  .strictObject({
    targets: z
      .union([z.record(nameSchema, z.number().min(0).max(1e9)), z.array(nameSchema).max(100)])
      .optional()
      .describe('Instead of the agent’s: candidates and their weights, or a list.'),
    prompt: promptReferenceSchema
      .nullable()
      .optional()
      .describe('Instead of the agent’s: name, name@version or name@label; null for none.'),
    adapter: nameSchema.optional().describe('Instead of the agent’s: a LoRA adapter, or none.'),
    params: jsonObjectSchema.optional().describe('Over the agent’s, key by key.'),
    plugins: z
      .record(nameSchema, jsonObjectSchema)
      .optional()
      .describe('Options of plugins by id, over the agent’s, key by key.'),
  })
  .describe('What the arm changes of the agent; `control` has none.');

const armSchema = z.strictObject({
  share: z.number().gt(0).lt(1).describe('The share of units that are in it.'),
  set: setSchema.optional(),
});

const stopSchema = z.strictObject({
  alpha: z
    .number()
    .min(1e-6)
    .max(0.2)
    .default(0.05)
    .describe('The chance that anything false is said where all arms are alike.'),
  units_min: countSchema
    .min(2)
    .default(100)
    .describe('Units of each arm before a winner, or that there is none, is told.'),
  hours_min: z
    .number()
    .min(0)
    .max(8760)
    .default(24)
    .describe('Hours before that: mornings and evenings differ.'),
  units_max: countSchema.min(2).default(100_000).describe('Units of all arms at which it ends.'),
  days_max: z.number().gt(0).max(365).default(14).describe('Days after which it ends.'),
  min_effect: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('The least improvement that matters, as a share; 0.05 ends what cannot reach it.'),
});

export const experimentSchema = z
  .strictObject({
    agent: nameSchema.describe('Whose calls; an agent has one experiment at a time.'),
    unit: z
      .enum(['auto', 'user', 'session', 'call'])
      .default('auto')
      .describe(
        'What is drawn, and stays in its arm; auto: user, else session, else conversation.',
      ),
    arms: z
      .record(nameSchema, armSchema)
      .describe('By name; `control` is the agent as it is. What the shares leave over is in none.'),
    metric: z.enum(METRICS).describe('What decides.'),
    also: z.array(z.enum(METRICS)).max(8).default([]).describe('What is told and decides nothing.'),
    guardrails: z
      .partialRecord(z.enum(METRICS), z.number().min(0).max(100))
      .default({})
      .describe('How much worse an arm may be, as a share of control’s: 0.1 is a tenth.'),
    stop: stopSchema.prefault({}).describe('When it ends by itself.'),
    at_end: z
      .enum(['report', 'propose'])
      .default('report')
      .describe('propose: a winner becomes a plan that waits for a person’s approval.'),
    on_stop: nameSchema.default('control').describe('The arm that all are served from then on.'),
    run: z.int().min(1).max(1e6).default(1).describe('Another number begins it anew.'),
  })
  .describe('An A/B test (docs/experiments.md).');
