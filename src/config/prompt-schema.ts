import { z } from 'zod';
import { formatVersionSchema, nameSchema } from './schema-parts.ts';

/** `policies/prompts/*.yaml`: one prompt patch with all its versions. Texts are never expanded. */

const opSchema = z.strictObject({
  op: z.literal('system.append').describe('Appends the text to the system message.'),
  text: z.string().min(1).max(20_000),
});

const versionNumberSchema = z.string().regex(/^[1-9]\d{0,8}$/, 'a version is a number from 1');

export const promptSchema = z.strictObject({
  version: formatVersionSchema,
  name: nameSchema.describe('What agents call it by.'),
  versions: z
    .record(versionNumberSchema, z.strictObject({ ops: z.array(opSchema).min(1).max(20) }))
    .describe('Version number to what it does. A version in use should not be edited: add one.'),
  labels: z
    .record(nameSchema, z.int().min(1))
    .default({})
    .describe('Label to version number; an agent that names no version gets `production`.'),
});

export type PromptFile = z.output<typeof promptSchema>;
