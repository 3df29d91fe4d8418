import { z } from 'zod';
import { referencesIn } from '../core/prompt/variables.ts';
import { type PromptVersion, textsOf, tokensAdded } from '../core/prompt/version.ts';
import { formatVersionSchema, nameSchema } from './schema-parts.ts';

/** `policies/prompts/*.yaml`: one prompt patch with all its versions. Texts are never expanded. */

const textSchema = z.string().min(1).max(20_000);
const stableSchema = z
  .literal('stable')
  .optional()
  .describe('The same in every call: what varies goes to `user.suffix`.');

const UNKNOWN_OP = 'expected system.append, system.prepend, replace, fewshot.insert or user.suffix';

const opSchema = z.discriminatedUnion(
  'op',
  [
    z.strictObject({
      op: z.literal('system.append').describe('Appends the text to the system message.'),
      text: textSchema,
      zone: stableSchema,
    }),
    z.strictObject({
      op: z.literal('system.prepend').describe('Puts the text before the system message.'),
      text: textSchema,
      zone: stableSchema,
    }),
    z.strictObject({
      op: z.literal('replace').describe('Replaces a literal text of the system message.'),
      target: z.literal('system'),
      anchor: textSchema.describe('What must stand there, word for word.'),
      expect: z
        .int()
        .min(1)
        .max(100)
        .optional()
        .describe('How often it must stand there (1); else nothing of the patch is applied.'),
      text: z.string().max(20_000),
    }),
    z.strictObject({
      op: z.literal('fewshot.insert').describe('Puts examples before the conversation.'),
      at: z.literal('after-system'),
      messages: z
        .array(z.strictObject({ role: z.enum(['user', 'assistant']), content: textSchema }))
        .min(2)
        .max(40)
        .refine(alternates, 'examples alternate: user, assistant, user, assistant, …'),
    }),
    z.strictObject({
      op: z.literal('user.suffix').describe('Appends the text to the last thing a user said.'),
      text: textSchema,
      zone: z.literal('volatile').optional(),
    }),
  ],
  { error: (issue) => (isUnion(issue) ? UNKNOWN_OP : undefined) },
);

function isUnion({ code }: { readonly code?: string }): boolean {
  return code === 'invalid_union';
}

function alternates(messages: readonly { readonly role: string }[]): boolean {
  const inTurn = messages.every(({ role }, index) => (index % 2 === 0) === (role === 'user'));
  return inTurn && messages.length % 2 === 0;
}

/** Credentials are no words for a prompt. */
const HEADER = /^header:x-(?!.*(key|token|secret|auth|cookie|password))[a-z0-9-]{1,60}$/;
const CALL = /^call:(agent|model|date)$/;

const variableSchema = z.strictObject({
  from: z
    .string()
    .refine(
      (from) => HEADER.test(from) || CALL.test(from),
      'write header:x-…, call:agent, call:model or call:date',
    )
    .describe('`header:x-…` of the client’s request, or `call:agent`, `call:model`, `call:date`.'),
  max: z.int().min(1).max(64).optional().describe('The most characters of a value (64).'),
  enum: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(100)
    .optional()
    .describe('The values that count. Without it one word counts, in `user.suffix` only.'),
  default: z
    .string()
    .max(200)
    .optional()
    .describe('Instead of a value that is missing or does not count; else nothing is applied.'),
});

const variableNameSchema = z.string().regex(/^[a-z][a-z0-9_]{0,40}$/, 'not a variable’s name');

export const promptVersionSchema = z
  .strictObject({
    match: z
      .strictObject({
        models: z.array(z.string().min(1).max(200)).min(1).max(50).optional(),
        endpoints: z
          .array(z.enum(['chat.completions', 'responses', 'messages']))
          .min(1)
          .optional(),
        system_sha256: z
          .string()
          .regex(/^[0-9a-fA-F]{64}$/, 'not a SHA-256 in hex')
          .optional(),
      })
      .optional()
      .describe('The calls that it is for; `models` are as clients ask, `*` is any text.'),
    ops: z
      .array(opSchema)
      .min(1)
      .max(20)
      .describe(`All of them or none: ${UNKNOWN_OP.replace('expected ', '')}; docs/prompts.md.`),
    vars: z
      .record(variableNameSchema, variableSchema)
      .optional()
      .describe('What `{{name}}` in these texts stands for.'),
    limits: z
      .strictObject({ tokens_added_max: z.int().min(1).max(100_000) })
      .optional()
      .describe('A version that could add more is refused here, not cut off later.'),
    parent: z.string().max(200).optional().describe('The version that it was made from.'),
    author: z.enum(['human', 'oracle', 'gepa', 'dspy']).optional(),
    note: z.string().max(2000).optional().describe('Why it was made.'),
  })
  .superRefine((version, context) => {
    for (const { path, message } of versionProblems(version as PromptVersion)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  });

interface VersionProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function versionProblems(version: PromptVersion): readonly VersionProblem[] {
  const problems: VersionProblem[] = [];
  const vars = version.vars ?? {};
  for (const [index, op] of version.ops.entries()) {
    for (const name of new Set(textsOf(op).flatMap(referencesIn))) {
      const variable = Object.hasOwn(vars, name) ? vars[name] : undefined;
      const path = ['ops', index];
      if (!variable) problems.push({ path, message: `{{${name}}} is none of its vars` });
      else if (op.op !== 'user.suffix' && !variable.enum) {
        const why = 'only user.suffix may vary freely, or no provider could cache the prompt';
        problems.push({ path, message: `{{${name}}} needs an enum here: ${why}` });
      }
    }
  }
  const most = version.limits?.tokens_added_max;
  const tokens = tokensAdded(version);
  if (most !== undefined && tokens > most) {
    const message = `it may add about ${tokens} tokens`;
    problems.push({ path: ['limits', 'tokens_added_max'], message });
  }
  return problems;
}

const versionNumberSchema = z.string().regex(/^[1-9]\d{0,8}$/, 'a version is a number from 1');

export const promptSchema = z.strictObject({
  version: formatVersionSchema,
  name: nameSchema.describe('What agents call it by.'),
  versions: z
    .record(versionNumberSchema, promptVersionSchema)
    .describe('Version number to what it does. A version in use should not be edited: add one.'),
  labels: z
    .record(nameSchema, z.int().min(1))
    .default({})
    .describe('Label to version number; an agent that names no version gets `production`.'),
  protected: z
    .array(nameSchema)
    .max(100)
    .optional()
    .describe('Labels that only this file moves: `hive prompts label` refuses them.'),
});

export type PromptFile = z.output<typeof promptSchema>;
