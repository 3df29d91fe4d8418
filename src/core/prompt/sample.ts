import type { Call } from '../call.ts';
import type { Json, JsonObject } from '../canonical.ts';
import { isObject } from '../json-values.ts';

/** A call as it is kept, where the operator asked for it: what was said, and by whom in hashes. */
export interface PromptSample {
  readonly call: string;
  /** Policy milliseconds. */
  readonly at_ms: number;
  readonly tenant: string;
  readonly agent: string;
  readonly unit: string;
  readonly user: string | null;
  readonly session: string | null;
  readonly served: string;
  /** As the client sent them, before any patch. */
  readonly turns: readonly SampleTurn[];
  readonly answer: string;
}

export interface SampleTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
}

const TURNS_MAX = 40;

/**
 * A call's messages as plain turns, or null where it is more than text: tools, images, files, a
 * conversation that the provider keeps. Never throws.
 */
export function sampleTurns({ endpoint, body }: Pick<Call, 'endpoint' | 'body'>) {
  if (isBeyondText(body)) return null;
  if (endpoint === 'chat.completions') return turnsOf(undefined, body.messages);
  if (endpoint === 'messages') return turnsOf(body.system, body.messages);
  if (endpoint === 'responses') return turnsOf(body.instructions, inputOf(body.input));
  return null;
}

const BEYOND_TEXT = ['tools', 'functions', 'previous_response_id', 'conversation', 'prompt'];

function isBeyondText(body: JsonObject): boolean {
  return BEYOND_TEXT.some((field) => {
    const value = body[field] ?? null;
    return value !== null && !(Array.isArray(value) && value.length === 0);
  });
}

function inputOf(input: Json | undefined): Json | undefined {
  return typeof input === 'string' ? [{ role: 'user', content: input }] : input;
}

function turnsOf(system: Json | undefined, list: Json | undefined): readonly SampleTurn[] | null {
  if (!Array.isArray(list) || list.length === 0 || list.length > TURNS_MAX) return null;
  const turns: SampleTurn[] = [];
  if (system !== undefined && system !== null) {
    const text = plainText(system);
    if (text === null) return null;
    turns.push({ role: 'system', text });
  }
  for (const message of list as readonly Json[]) {
    const turn = turnOf(message);
    if (turn === null) return null;
    turns.push(turn);
  }
  return turns.at(-1)?.role === 'user' ? turns : null;
}

function turnOf(message: Json): SampleTurn | null {
  if (!isObject(message) || message.tool_calls !== undefined) return null;
  const text = plainText(message.content);
  if (text === null) return null;
  const { role } = message;
  if (role === 'system' || role === 'developer') return { role: 'system', text };
  return role === 'user' || role === 'assistant' ? { role, text } : null;
}

const TEXT_PARTS: ReadonlySet<Json | undefined> = new Set(['text', 'input_text', 'output_text']);

function plainText(content: Json | undefined): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const texts: string[] = [];
  for (const part of content as readonly Json[]) {
    if (!isObject(part) || !TEXT_PARTS.has(part.type) || typeof part.text !== 'string') return null;
    texts.push(part.text);
  }
  return texts.join('\n');
}

/** UTF-8 bytes of what was said in a sample. */
export function sampleBytes({ turns, answer }: Pick<PromptSample, 'turns' | 'answer'>): number {
  return turns.reduce((sum, { text }) => sum + Buffer.byteLength(text), Buffer.byteLength(answer));
}

/** A sample's messages as a chat completion's, for `applyPatch` and for asking again. */
export function sampleMessages(turns: readonly SampleTurn[]): JsonObject {
  return { messages: turns.map(({ role, text }) => ({ role, content: text })) };
}
