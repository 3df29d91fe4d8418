import { z } from 'zod';
import type { JsonObject } from '../core/canonical.ts';

/** What the schemas of all policy files are made of. */

export const NAME_PATTERN = /^[a-z0-9][a-z0-9_.-]*$/;

export const nameSchema = z
  .string()
  .regex(NAME_PATTERN, 'not a name: a name is [a-z0-9][a-z0-9_.-]*')
  .max(100);

export const shareSchema = z.number().min(0).max(1);
export const durationSchema = z.number().min(0).max(86_400_000);
export const countSchema = z.int().min(0).max(1_000_000_000);
export const jsonObjectSchema: z.ZodType<JsonObject, JsonObject> = z.record(z.string(), z.json());

/** `name`, `name@version`, or `name@label`. */
export const promptReferenceSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_.-]*(@[a-z0-9][a-z0-9_.-]*)?$/,
    'not a prompt: write name, name@version or name@label',
  );

export const formatVersionSchema = z.literal(1).describe('The format of this file.');
