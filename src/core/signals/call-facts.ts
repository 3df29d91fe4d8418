import type { Call } from '../call.ts';
import type { Json } from '../canonical.ts';
import { isObject } from '../json-values.ts';
import { languageOf } from './language.ts';
import { turnsOf } from './turns.ts';
import { wordsOf } from './words.ts';

/**
 * What rules of the policy may ask of a call. Each is computed when a rule that names it runs, and
 * none where no rule does; types are CEL's, whose whole numbers are bigints here.
 */
export interface CallFact {
  readonly type: 'int' | 'bool' | 'string';
  readonly summary: string;
  of(call: Call): bigint | boolean | string;
}

const BYTES_PER_TOKEN = 4;
const CODE_CHARS = 400;
/** Signs of code a letter, from which a message without a fence has code in it. */
const CODE_SIGNS_SHARE = 0.06;
const LANGUAGE_CHARS = 160;
const HOUR_MS = 3_600_000;

export const CALL_FACTS = {
  tokens_in: {
    type: 'int',
    summary: 'Tokens of the request, estimated: a quarter of its bytes.',
    of: ({ raw }) => BigInt(Math.ceil(raw.length / BYTES_PER_TOKEN)),
  },
  tools: {
    type: 'int',
    summary: 'Tools that it offers.',
    of: ({ body }) => BigInt(Array.isArray(body.tools) ? body.tools.length : 0),
  },
  has_code: {
    type: 'bool',
    summary: 'Whether the user’s last message has code in it.',
    of: (call) => hasCode(turnsOf(call).user ?? ''),
  },
  language: {
    type: 'string',
    summary: 'Language of the user’s last message (`en`, `de`, …), or `und`.',
    of: (call) => languageOf(wordsOf(turnsOf(call).user ?? '', LANGUAGE_CHARS)) ?? 'und',
  },
  tenant: { type: 'string', summary: 'The key’s tenant.', of: ({ tenant }) => tenant },
  agent: { type: 'string', summary: 'The agent.', of: ({ agent }) => agent },
  turn: {
    type: 'int',
    summary: 'Which message of the user’s this is: 1 at the beginning.',
    of: (call) => BigInt(countOf(call, isUserTurn)),
  },
  hour: {
    type: 'int',
    summary: 'Hour of the day, UTC, 0 to 23.',
    of: ({ at_ms }) => BigInt(Math.floor(at_ms / HOUR_MS) % 24),
  },
  stream: { type: 'bool', summary: 'Whether a stream is asked for.', of: ({ stream }) => stream },
  images: {
    type: 'int',
    summary: 'Images in its messages.',
    of: (call) => BigInt(countOf(call, isImage)),
  },
} as const satisfies Readonly<Record<string, CallFact>>;

export type CallFactName = keyof typeof CALL_FACTS;

function hasCode(text: string): boolean {
  if (text.includes('```')) return true;
  const { letters, signs } = wordsOf(text, CODE_CHARS);
  const total = letters.reduce((sum, count) => sum + count, 0);
  return total > 0 && signs >= 6 && signs > total * CODE_SIGNS_SHARE;
}

/** Messages, or parts of messages, that are of a kind. */
function countOf({ endpoint, body }: Call, isOne: (value: Json) => boolean): number {
  const messages = endpoint === 'responses' ? body.input : body.messages;
  if (typeof messages === 'string') return isOne({ role: 'user', content: messages }) ? 1 : 0;
  if (!Array.isArray(messages)) return 0;
  let count = 0;
  for (const message of messages as readonly Json[]) {
    if (isOne(message)) count += 1;
    if (!isObject(message) || !Array.isArray(message.content)) continue;
    for (const part of message.content as readonly Json[]) if (isOne(part)) count += 1;
  }
  return count;
}

/** A message of tools' results alone is none of the user's. */
function isUserTurn(value: Json): boolean {
  if (!isObject(value) || value.role !== 'user') return false;
  if (!Array.isArray(value.content)) return true;
  const parts = value.content as readonly Json[];
  return (
    parts.length === 0 || !parts.every((part) => isObject(part) && part.type === 'tool_result')
  );
}

const IMAGES: readonly Json[] = ['image_url', 'input_image', 'image'];

function isImage(value: Json): boolean {
  return isObject(value) && value.type !== undefined && IMAGES.includes(value.type);
}
