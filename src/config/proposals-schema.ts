import { z } from 'zod';
import { countSchema, nameSchema } from './schema-parts.ts';

/** `proposals.prompt` of `policies/oracle_policies.yaml`. */

const phraseSchema = z.string().min(1).max(200);
const lengthSchema = z.int().min(1).max(1_000_000);

const checkSchema = z
  .strictObject({
    contains: phraseSchema.optional().describe('The answer has these words.'),
    not_contains: phraseSchema.optional().describe('The answer does not have these words.'),
    chars_min: lengthSchema.optional().describe('The answer has at least so many characters.'),
    chars_max: lengthSchema.optional().describe('The answer has at most so many characters.'),
    json: z.literal(true).optional().describe('The answer is JSON and nothing else.'),
  })
  .refine((check) => Object.keys(check).length === 1, 'one check an entry');

const budgetSchema = z.strictObject({
  calls_per_day: countSchema.min(1).default(100).describe('Calls to models, a UTC day.'),
  tokens_per_day: countSchema.min(1).default(200_000).describe('Tokens in and out.'),
  usd_per_day: z.number().positive().max(1_000_000).optional().describe('Needs `price`.'),
});

export const promptProposalsSchema = z
  .strictObject({
    target: nameSchema.optional().describe('The target that reflects and proposes.'),
    agent: nameSchema.optional().describe('Instead of a target: the agent that is asked.'),
    agents: z
      .array(nameSchema)
      .min(1)
      .max(100)
      .optional()
      .describe('Whose prompts; absent: of all agents whose prompt `bounds` lets move.'),
    budget: budgetSchema.prefault({}).describe('No call is made beyond it.'),
    price: z
      .strictObject({ in: z.number().min(0).max(10_000), out: z.number().min(0).max(10_000) })
      .optional()
      .describe('USD a million tokens, of the dearest model that is asked.'),
    judge: nameSchema.optional().describe('The target that compares two answers.'),
    checks: z.array(checkSchema).max(20).default([]).describe('What an answer must be like.'),
    ops: z
      .array(z.enum(['system.append', 'system.prepend', 'replace', 'user.suffix']))
      .min(1)
      .default(['system.append'])
      .describe('What a proposed patch may do.'),
    label: nameSchema
      .refine((label) => label !== 'production', 'production is for people to move')
      .default('proposed')
      .describe('The label of the best proposal.'),
    every_hours: z.number().min(0.01).max(8760).default(24).describe('Between two reflections.'),
    timeout_ms: z.int().min(100).max(600_000).default(60_000).describe('Of one call to a model.'),
    tokens_max: z.int().min(16).max(100_000).default(1000).describe('Of one answer of a model.'),
    failures_max: countSchema
      .min(1)
      .max(10)
      .default(2)
      .describe('Failures in a row after which no model is asked for an hour, then longer.'),
    units_min: countSchema.min(2).max(100).default(3).describe('Units that a reflection needs.'),
    calls_max: countSchema.min(2).max(50).default(12).describe('Calls that a reflection sees.'),
    pairs_min: countSchema.min(8).max(1000).default(12).describe('Pairs before a verdict.'),
    pairs_max: countSchema.min(8).max(1000).default(60).describe('Pairs after which it ends.'),
    front_max: countSchema.min(1).max(50).default(8).describe('Candidates kept of one agent.'),
  })
  .refine(({ target, agent }) => (target === undefined) !== (agent === undefined), {
    message: 'name a target or an agent, and not both',
  })
  .refine(({ judge, checks }) => judge !== undefined || checks.length > 0, {
    message: 'name a judge or checks: without them no proposal could be checked',
  })
  .refine(({ pairs_min, pairs_max }) => pairs_min <= pairs_max, {
    message: 'pairs_min is more than pairs_max',
  })
  .refine(({ budget, price }) => budget.usd_per_day === undefined || price !== undefined, {
    message: 'usd_per_day needs a price: no provider says what a call cost',
  })
  .describe('Prompts that a model proposes, through the gateway (docs/prompts.md).');
