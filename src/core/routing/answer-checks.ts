import type { Answer, AnswerContent } from '../answer/answer.ts';
import type { Call } from '../call.ts';
import type { JsonObject } from '../canonical.ts';
import { isObject, objectsIn } from '../json-values.ts';
import { languageMismatch, namesLanguage } from '../signals/language-mismatch.ts';
import { refusalOf } from '../signals/refusal.ts';
import { askedFormat, schemaViolation } from '../signals/schema-violation.ts';
import { systemOf, turnsOf } from '../signals/turns.ts';
import { wordsOf } from '../signals/words.ts';

/** Checks that need no model: whether an answer is visibly not what was asked for. */
export const CHECKS = ['refusal', 'empty', 'truncated', 'format', 'tools', 'language'] as const;

export type CheckName = (typeof CHECKS)[number];

export interface CheckOptions {
  readonly checks: readonly CheckName[];
  /** Characters that a text without a tool's call must have; 0 asks for none. */
  readonly chars_min: number;
  /** Least mean log-probability of a token; checked where the answer has them. */
  readonly logprob_min?: number | undefined;
}

/** Read of an answer and of the message before it where languages are compared. */
const WORDS_CHARS = 600;

/**
 * The first check that the answer fails, `chars_min` and `logprob_min` included, or null. What
 * cannot be checked holds. Never throws.
 */
export function failedCheck(call: Call, answer: Answer, options: CheckOptions): string | null {
  const { checks, chars_min, logprob_min } = options;
  const { finish } = answer;
  // What a provider's filter stopped is no answer to judge: nobody is asked around it.
  if (finish === 'content_filter' && !answer.content().refused) return null;
  if (checks.includes('truncated') && finish === 'length') return 'truncated';
  const content = answer.content();
  for (const check of CHECKS) {
    if (checks.includes(check) && FAILS[check](call, content)) return check;
  }
  const { text, tools, logprob } = content;
  if (tools.length === 0 && text.trim().length < chars_min) return 'chars_min';
  if (logprob_min !== undefined && logprob !== null && logprob < logprob_min) return 'logprob_min';
  return null;
}

const FAILS: Readonly<Record<CheckName, (call: Call, content: AnswerContent) => boolean>> = {
  refusal: (_call, { refused, text, tools }) =>
    refused || (tools.length === 0 && refusalOf(wordsOf(text, WORDS_CHARS), text.length) !== null),
  empty: (_call, { text, tools }) => tools.length === 0 && text.trim() === '',
  // Told by the answer's finish, before anything is read of it.
  truncated: () => false,
  format: (call, content) => breaksFormat(call, content),
  tools: (call, { tools }) => tools.some((tool) => breaksTool(call.body, tool)),
  language: (call, content) => changesLanguage(call, content),
};

/** JSON that was asked for; an answer that calls a tool or refuses is none yet. */
function breaksFormat(call: Call, { text, tools, refused }: AnswerContent): boolean {
  if (tools.length > 0 || refused) return false;
  const format = askedFormat(call);
  return format !== null && schemaViolation(text, format) !== null;
}

/** Arguments that are no JSON object, or not as the tool's parameters say; none mean `{}`. */
function breaksTool(body: JsonObject, tool: { name: string; arguments: string }): boolean {
  const written = tool.arguments.trim() === '' ? '{}' : tool.arguments;
  return schemaViolation(written, { schema: parametersOf(body, tool.name) }) !== null;
}

/** Of the tool of that name, in any dialect; null where it says nothing of them. */
function parametersOf(body: JsonObject, name: string): JsonObject | null {
  for (const tool of objectsIn(body.tools)) {
    const one = isObject(tool.function) ? tool.function : tool;
    if (one.name !== name) continue;
    const parameters = one.parameters ?? one.input_schema;
    return isObject(parameters) ? parameters : null;
  }
  return null;
}

function changesLanguage(call: Call, { text, tools }: AnswerContent): boolean {
  const { user } = turnsOf(call);
  if (user === null || tools.length > 0 || askedFormat(call) !== null) return false;
  const asked = wordsOf(user, WORDS_CHARS);
  if (languageMismatch(asked, wordsOf(text, WORDS_CHARS)) === null) return false;
  const system = systemOf(call);
  return system === null || !namesLanguage(wordsOf(system, WORDS_CHARS));
}
