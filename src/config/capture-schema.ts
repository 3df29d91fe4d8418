import { z } from 'zod';
import { countSchema, shareSchema } from './schema-parts.ts';

const modeSchema = z.enum(['off', 'redacted', 'on']);

const keptSchema = z.strictObject({
  mode: modeSchema.describe(
    'Redacted takes out addresses, numbers and secrets by rules; on keeps texts as they are.',
  ),
  share: shareSchema.default(0.2).describe('Of the calls that are nothing but text.'),
  bytes_max: z
    .int()
    .min(256)
    .max(32_768)
    .default(16_384)
    .describe('Of one call, messages and answer; a longer one is not kept.'),
  kept_max: countSchema.min(1).max(2000).default(400).describe('Calls of one agent.'),
  days: z.number().positive().max(90).default(7).describe('Then they are deleted.'),
});

/** `capture.bodies`: a word, or a word with its bounds. */
export const bodiesSchema = z
  .union([modeSchema, keptSchema])
  .default('off')
  .describe('Whether calls are kept as samples, in the store only (docs/prompts.md).');

/** A word alone, with the bounds that hold by default. */
export function captureOf(mode: z.output<typeof modeSchema>): z.output<typeof keptSchema> {
  return keptSchema.parse({ mode });
}
