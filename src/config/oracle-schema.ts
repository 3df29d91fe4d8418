import { z } from 'zod';
import { followUpsSchema } from './follow-ups-schema.ts';
import { promptProposalsSchema } from './proposals-schema.ts';
import {
  countSchema,
  durationSchema,
  formatVersionSchema,
  nameSchema,
  promptReferenceSchema,
  shareSchema,
} from './schema-parts.ts';

/**
 * `policies/oracle_policies.yaml`, and the seed's form of it: thresholds alone, without a version.
 */

const ratingSchema = z.number().min(1).max(5);
const minutesSchema = z.number().min(0).max(525_600);

const thresholdsSchema = z.strictObject({
  performance: z
    .strictObject({
      response_time: z
        .strictObject({
          warning_threshold_ms: durationSchema.default(1500),
          critical_threshold_ms: durationSchema.default(3000),
        })
        .prefault({}),
      success_rate: z
        .strictObject({
          target: shareSchema.default(0.95).describe('Share of units without error.'),
        })
        .prefault({}),
    })
    .prefault({}),
  satisfaction: z
    .strictObject({
      rating: z
        .strictObject({
          warning_threshold: ratingSchema.default(3.5),
          critical_threshold: ratingSchema.default(2.5),
          target: ratingSchema.default(4.5),
        })
        .prefault({}),
      dissatisfied: z
        .strictObject({ warning: shareSchema.default(0.15), critical: shareSchema.default(0.3) })
        .prefault({})
        .describe('Shares of units.'),
    })
    .prefault({}),
  // The seed's files have it, so it is read; the loader says that nothing obeys it yet.
  cost: z
    .strictObject({ savings_target: shareSchema })
    .optional()
    .describe('Read for older files only: nothing obeys it yet.'),
});

const rampSchema = z
  .array(z.number().positive().max(1))
  .min(1)
  .max(20)
  .refine(
    (ramp) => ramp.every((share, index) => index === 0 || share > (ramp[index - 1] ?? 0)),
    'the shares must rise',
  )
  .refine((ramp) => ramp.at(-1) === 1, 'the last share must be 1, which means applied');

const canarySchema = z.strictObject({
  share: z.number().positive().max(1).default(0.05).describe('The first share of units.'),
  ramp: rampSchema
    .default([0.1, 0.25, 0.5, 1])
    .describe('The shares after it; those at or below `share` are skipped, 1 means applied.'),
  minutes_min: minutesSchema.default(60).describe('Minutes before a promotion.'),
  units_min: countSchema.default(150).describe('Canary units before a promotion.'),
  days_max: z.number().positive().max(365).default(14).describe('Then it is inconclusive.'),
  step: z
    .strictObject({
      minutes: minutesSchema.default(10),
      units: countSchema.default(30),
    })
    .prefault({})
    .describe('Minutes and canary units at each share before the next.'),
});

const rollbackSchema = z.strictObject({
  error_rate: shareSchema.default(0.15).describe('Of the last calls of a canary.'),
  response_time_ms: durationSchema.default(10_000).describe('95th percentile.'),
  complaints: z
    .strictObject({
      count: countSchema.default(5).describe('More users than this.'),
      window_minutes: minutesSchema.default(10),
    })
    .prefault({}),
});

const actSchema = z.strictObject({
  q_act: z
    .number()
    .min(1e-9)
    .max(0.05)
    .default(0.001)
    .describe('Changes on a false cause that are expected in a week where nothing is wrong.'),
  influence: z
    .number()
    .min(0)
    .max(0.25)
    .default(0.05)
    .describe('Share of users that may be of ill will: dissatisfaction must hold without them.'),
});

const safetySchema = z.strictObject({
  max_mutations_per_hour: countSchema.default(10).describe('ORACLE_MAX_MUTATIONS_PER_HOUR wins.'),
  min_confidence: shareSchema
    .default(0.7)
    .describe('Below it a person is asked. ORACLE_CONFIDENCE_THRESHOLD wins.'),
  require_approval: z
    .strictObject({
      risk: z
        .enum(['low', 'medium', 'high', 'none'])
        .default('high')
        .describe('From this risk on a person is asked; none: risk alone asks nobody.'),
    })
    .prefault({}),
  approval_hours: z.number().positive().max(8760).default(24).describe('Then a plan expires.'),
  act: actSchema.prefault({}).describe('What a finding needs before anything is changed on it.'),
  canary: canarySchema.prefault({}),
  rollback: rollbackSchema.prefault({}).describe('The hard triggers of a rollback.'),
});

const boundSchema = z.strictObject({
  add_from: z.array(nameSchema).optional().describe('Targets that may be added to an agent.'),
  min_left: countSchema.optional().describe('Targets that keep a weight above 0.'),
  min: z.number().optional().describe('The least number.'),
  max: z.number().optional().describe('The largest number.'),
  step_max: z
    .number()
    .positive()
    .optional()
    .describe('The largest change at once; of targets, of any one’s share by a ROUTE_CHANGE.'),
  candidates: z
    .array(promptReferenceSchema)
    .optional()
    .describe(
      'Prompts, in the order in which they are tried; a label stands for the version it is at.',
    ),
  ops: z
    .array(z.enum(['system.append', 'system.prepend', 'replace', 'fewshot.insert', 'user.suffix']))
    .optional()
    .describe('What a prompt patch may do.'),
  tokens_added_max: countSchema.optional().describe('Estimated tokens that a prompt may add.'),
  allow: z
    .array(nameSchema)
    .optional()
    .describe('Adapters, in the order in which they are tried; none is always allowed.'),
});

/** The order is the order in which they run. */
const DEFAULT_GATES = [
  'schema',
  'policy',
  'rate',
  'conflict',
  'rollback',
  'confidence',
  'approval',
];

export const oracleSchema = z.strictObject({
  version: formatVersionSchema.optional(),
  thresholds: thresholdsSchema.prefault({}).describe('What findings are graded by.'),
  safety: safetySchema.prefault({}).describe('How carefully changes are made.'),
  bounds: z
    .record(z.string(), boundSchema)
    .default({})
    .describe(
      'JSON pointer (`*` is one token) to what rows may move there; all else is out of reach.',
    ),
  gates: z
    .array(nameSchema)
    .max(50)
    .refine((gates) => new Set(gates).size === gates.length, 'a gate is named twice')
    .default(DEFAULT_GATES)
    .describe('The checks of a change, in order.'),
  proposals: z
    .strictObject({ prompt: promptProposalsSchema.optional() })
    .optional()
    .describe('What a model may propose; absent: nothing.'),
  follow_ups: followUpsSchema.optional(),
});

export type OracleFile = z.output<typeof oracleSchema>;
