import { z } from 'zod';
import type { Call, CallPatch } from '../core/call.ts';
import type { Json, JsonObject } from '../core/canonical.ts';
import { isObject } from '../core/json-values.ts';
import type { PluginDefinition, Scope } from '../core/plugin.ts';
import type { PromptVersion } from '../core/policy.ts';

const Options = z.strictObject({});

export type PromptPatcherOptions = z.output<typeof Options>;

export const definition: PluginDefinition<PromptPatcherOptions> = {
  name: 'prompt-patcher',
  summary: 'Adds the agent’s prompt patch to the system’s words; nothing else is touched.',
  options: Options,
  create: () => ({ onRequest: patchPrompt }),
};

function patchPrompt(call: Call, scope: Scope): CallPatch | undefined {
  const { prompt } = scope.agent;
  const field = PATCHED_FIELD[call.endpoint];
  if (prompt === null || field === undefined || textOf(prompt.content) === '') return undefined;
  const before = call.body[field];
  const patched = patchedValue(call.endpoint, before, prompt.content);
  if (patched === null) {
    const name = `${prompt.name}@${prompt.version}`;
    scope.note('prompt-patcher', `${name} was not applied: ${field} is malformed`);
    scope.mark('prompt-patcher:malformed');
    return undefined;
  }
  return patched === before ? undefined : { body: { [field]: patched } };
}

/** Where the system's words stand; other endpoints have none. */
const PATCHED_FIELD: { readonly [endpoint in Call['endpoint']]?: string } = {
  'chat.completions': 'messages',
  messages: 'system',
  responses: 'instructions',
};

function patchedValue(
  endpoint: Call['endpoint'],
  value: Json | undefined,
  content: PromptVersion,
): Json | null {
  if (endpoint === 'chat.completions') return patchedMessages(value, content);
  const text = textOf(content);
  if (value === undefined || value === null) return text;
  if (endpoint === 'responses' && typeof value !== 'string') return null;
  return appendText(value, text);
}

function textOf(content: PromptVersion): string {
  const texts = content.ops.map((op) => op.text).filter((text) => text !== '');
  return texts.join(BLANK_LINE);
}

/**
 * The messages with the patch's text at the end of the first system message, or in a new one where
 * there is none; the very same value where the text stands there already. Null where the messages
 * are not such that one could say: the upstream's own complaint is the better answer then.
 */
export function patchedMessages(
  messages: Json | undefined,
  content: PromptVersion,
): readonly Json[] | null {
  if (!Array.isArray(messages) || messages.length === 0) return null;
  const list = messages as readonly Json[];
  if (!list.every(isMessage)) return null;
  const text = textOf(content);
  if (text === '') return list;
  const index = list.findIndex(({ role }) => role === 'system' || role === 'developer');
  const message = list[index];
  if (!message) return [{ role: 'system', content: text }, ...list];
  const appended = appendText(message.content, text);
  if (appended === null) return null;
  if (appended === message.content) return list;
  return list.with(index, { ...message, content: appended });
}

const BLANK_LINE = '\n\n';

function isMessage(message: Json): message is JsonObject {
  return isObject(message) && typeof message.role === 'string';
}

function appendText(content: Json | undefined, text: string): Json | null {
  if (typeof content === 'string') {
    if (endsWithText(content, text)) return content;
    return content === '' ? text : `${content}${BLANK_LINE}${text}`;
  }
  if (!Array.isArray(content) || !content.every(isTextPart)) return null;
  const last = (content as readonly JsonObject[]).at(-1);
  if (typeof last?.text === 'string' && endsWithText(last.text, text)) return content;
  // A part of its own: the caller's parts, and cache marks on them, stay as they are.
  const part = { type: 'text', text: last ? `${BLANK_LINE}${text}` : text };
  return [...content, part];
}

function isTextPart(part: Json): boolean {
  return isObject(part) && part.type === 'text' && typeof part.text === 'string';
}

function endsWithText(whole: string, text: string): boolean {
  return whole === text || whole.endsWith(`${BLANK_LINE}${text}`);
}
