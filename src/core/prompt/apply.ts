import type { Json, JsonObject } from '../canonical.ts';
import { isObject } from '../json-values.ts';
import type { CompiledPatch } from './compile.ts';
import { hasExamples, insertExamples, isSystem } from './examples.ts';
import { isReplaced, replaceText } from './replace.ts';
import {
  appendText,
  endsWithText,
  isWords,
  prependText,
  type SystemWords,
  startsWithText,
  wholeText,
} from './system-text.ts';
import { suffixUser } from './user-suffix.ts';
import { isRefused, type PatchedEndpoint, type Refusal, type Refused } from './version.ts';

/** Top-level fields of a body to set. */
export type Fields = { readonly [field: string]: Json };

/**
 * What a patch makes of a body: the fields to set, null where all of it stands there already, or
 * why it cannot be applied; then nothing of it is. Pure. Applied to its own result it says null.
 * Tools, their calls and their results are in no field and no message that it changes.
 */
export function applyPatch(
  endpoint: PatchedEndpoint,
  body: JsonObject,
  patch: CompiledPatch,
): Fields | null | Refused {
  const draft = openDraft(endpoint, body, patch);
  if (isRefused(draft)) return draft;
  if (!patch.simple && isApplied(draft, patch)) return null;
  const known = patchedBefore(draft, patch);
  if (known !== null) return known;
  const system = patchSystem(draft.system, patch);
  if (isRefused(system)) return system;
  const { system_at } = draft;
  const list = patchList(endpoint, listWithSystem(draft, system), patch);
  if (isRefused(list)) return list;
  const next: Draft = { endpoint, system, system_at, list };
  if (patch.simple) keepPatched(draft, next, patch);
  // An anchor that comes into being by its own replacement would be replaced again next time.
  if (!patch.simple && !isApplied(reopened(next), patch)) return refuse('anchor_ambiguous');
  return changesOf(draft, next);
}

/** A body as far as patches know it. */
interface Draft {
  readonly endpoint: PatchedEndpoint;
  readonly system: SystemWords | undefined;
  /** Which message the system's words are in; -1 where it is none, or they have a field. */
  readonly system_at: number;
  readonly list: readonly Json[] | null;
}

function openDraft(
  endpoint: PatchedEndpoint,
  body: JsonObject,
  patch: CompiledPatch,
): Draft | Refused {
  if (endpoint === 'chat.completions') return openChat(body.messages);
  const given = endpoint === 'messages' ? body.system : body.instructions;
  const system = given === null ? undefined : given;
  if (system !== undefined && !isWords(system)) return refuse('malformed');
  if (endpoint === 'responses' && Array.isArray(system)) return refuse('malformed');
  const draft = { endpoint, system: system as SystemWords | undefined, system_at: -1 };
  if (patch.examples.length === 0 && patch.user_suffix === '') return { ...draft, list: null };
  const list = listOf(endpoint === 'messages' ? body.messages : body.input);
  if (list === null) return refuse('malformed');
  const continued = isPresent(body.previous_response_id) || isPresent(body.conversation);
  // Examples belong before a conversation, and here its beginning is the provider's.
  if (patch.examples.length > 0 && endpoint === 'responses' && continued) return refuse('no_start');
  return { ...draft, list };
}

function isPresent(value: Json | undefined): boolean {
  return value !== undefined && value !== null;
}

/** A bare text is what a user said. */
function listOf(value: Json | undefined): readonly Json[] | null {
  if (typeof value === 'string') return [{ role: 'user', content: value }];
  return Array.isArray(value) ? (value as readonly Json[]) : null;
}

function openChat(messages: Json | undefined): Draft | Refused {
  if (!Array.isArray(messages) || messages.length === 0) return refuse('malformed');
  const list = messages as readonly Json[];
  let system_at = -1;
  for (let index = 0; index < list.length; index += 1) {
    const message = list[index] as Json;
    if (!isObject(message) || typeof message.role !== 'string') return refuse('malformed');
    if (system_at === -1 && isSystem(message.role)) system_at = index;
  }
  const endpoint = 'chat.completions';
  if (system_at === -1) return { endpoint, system: undefined, system_at, list };
  const { content } = list[system_at] as JsonObject;
  return isWords(content) ? { endpoint, system: content, system_at, list } : refuse('malformed');
}

function patchSystem(
  system: SystemWords | undefined,
  { replacements, prefix, suffix }: CompiledPatch,
): SystemWords | undefined | Refused {
  let words = system;
  for (const one of replacements) {
    const replaced: SystemWords | null = words === undefined ? null : replaceText(words, one);
    if (replaced === null) return refuse('anchor_missing');
    words = replaced;
  }
  if (prefix !== '') words = prependText(words ?? '', prefix);
  return suffix === '' ? words : appendText(words ?? '', suffix);
}

/** The list with the system's words in it, where they belong there. */
function listWithSystem(draft: Draft, system: SystemWords | undefined): readonly Json[] | null {
  const { endpoint, list, system_at } = draft;
  if (endpoint !== 'chat.completions' || system === draft.system || list === null) return list;
  const content = system as Json;
  if (system_at === -1) return [{ role: 'system', content }, ...list];
  return replaced(list, system_at, { ...(list[system_at] as object), content });
}

/** As `with` makes it, in a tenth of its time: copies of frozen lists are made slowly. */
function replaced(list: readonly Json[], at: number, element: Json): readonly Json[] {
  const next: Json[] = [];
  for (let index = 0; index < list.length; index += 1) {
    next.push(index === at ? element : (list[index] as Json));
  }
  return next;
}

/** What comes of a system's message like one that was patched before. */
function patchedBefore({ list, system_at }: Draft, patch: CompiledPatch): Fields | null {
  if (!patch.simple || system_at === -1 || list === null) return null;
  const patched = patch.patched.find(list[system_at]);
  return patched === null ? null : { messages: replaced(list, system_at, patched) };
}

function keepPatched(before: Draft, after: Draft, { patched }: CompiledPatch): void {
  const { list, system_at } = before;
  if (system_at === -1 || list === null || after.list === list) return;
  patched.keep(list[system_at], after.list?.[system_at]);
}

function patchList(
  endpoint: PatchedEndpoint,
  list: readonly Json[] | null,
  { examples, user_suffix }: CompiledPatch,
): readonly Json[] | null | Refused {
  if (list === null) return null;
  let next = list;
  if (user_suffix !== '') {
    const type = endpoint === 'responses' ? 'input_text' : 'text';
    const suffixed = suffixUser(next, user_suffix, type);
    if (suffixed === null) return refuse('no_user_turn');
    next = suffixed;
  }
  return examples.length === 0 ? next : insertExamples(next, examples);
}

/** Whether all of it stands there; asked before, and again of what was made. */
function isApplied(draft: Draft, patch: CompiledPatch): boolean {
  const { system, list, endpoint } = draft;
  const { prefix, suffix, replacements, examples, user_suffix } = patch;
  if (prefix !== '' && !startsWithText(system ?? '', prefix)) return false;
  if (suffix !== '' && !endsWithText(system ?? '', suffix)) return false;
  // Where there are no words at all, there is nothing that could have been replaced.
  if (replacements.length > 0 && system === undefined) return false;
  if (!replacements.every((one) => isReplaced(system ?? '', one))) return false;
  if (examples.length > 0 && !hasExamples(list ?? [], examples)) return false;
  if (user_suffix === '') return true;
  const type = endpoint === 'responses' ? 'input_text' : 'text';
  return list !== null && suffixUser(list, user_suffix, type) === list;
}

/** What was made, as the next patch would find it. */
function reopened(draft: Draft): Draft {
  if (draft.endpoint !== 'chat.completions') return draft;
  const opened = openChat(draft.list as Json);
  return isRefused(opened) ? draft : opened;
}

function changesOf(before: Draft, after: Draft): Fields | null {
  const { endpoint } = after;
  if (endpoint === 'chat.completions') {
    return after.list === before.list ? null : { messages: after.list as Json };
  }
  const fields: Record<string, Json> = {};
  if (after.system !== before.system) {
    fields[endpoint === 'messages' ? 'system' : 'instructions'] = after.system as Json;
  }
  if (after.list !== before.list && after.list !== null) {
    fields[endpoint === 'responses' ? 'input' : 'messages'] = after.list;
  }
  return Object.keys(fields).length === 0 ? null : fields;
}

/** The system's words of a body as one text; what a patch may name the digest of. */
export function systemTextOf(endpoint: PatchedEndpoint, body: JsonObject): string {
  const draft =
    endpoint === 'chat.completions'
      ? openChat(body.messages)
      : { system: endpoint === 'messages' ? body.system : body.instructions };
  if (isRefused(draft)) return '';
  return isWords(draft.system) ? wholeText(draft.system) : '';
}

function refuse(refused: Refusal): Refused {
  return REFUSED[refused];
}

const REFUSED: Readonly<Record<Refusal, Refused>> = {
  malformed: { refused: 'malformed' },
  no_match: { refused: 'no_match' },
  anchor_missing: { refused: 'anchor_missing' },
  anchor_ambiguous: { refused: 'anchor_ambiguous' },
  no_user_turn: { refused: 'no_user_turn' },
  no_start: { refused: 'no_start' },
  variable_missing: { refused: 'variable_missing' },
};
