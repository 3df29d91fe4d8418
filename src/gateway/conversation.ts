import { dialectOf, type Endpoint } from '../core/call.ts';
import type { Json, JsonObject } from '../core/canonical.ts';
import { isObject } from '../core/json-values.ts';
import { digestTurns, type TurnDigests } from './turn-digests.ts';

/** What a conversation begins with: it stays the same while the conversation grows. */
export interface Opening {
  readonly system: string;
  /** The first thing that the user said, or null where nobody said anything. */
  readonly user: string | null;
}

export function openingOf(endpoint: Endpoint, body: JsonObject): Opening {
  const turns = turnsOf(endpoint, body);
  let system = '';
  if (isAnthropic(endpoint)) system = said(body.system);
  if (endpoint === 'responses') system = said(body.instructions);
  for (const turn of turns) {
    if (typeof turn === 'string') return { system, user: turn };
    if (!isObject(turn)) continue;
    if (turn.role === 'system' || turn.role === 'developer') system += `\n${said(turn.content)}`;
    if (turn.role === 'user') return { system, user: said(turn.content) };
  }
  return { system, user: null };
}

/** Each turn so far, by which a repetition or a continuation of a call is known. */
export function turnDigests(endpoint: Endpoint, body: JsonObject): TurnDigests {
  return digestTurns(turnsOf(endpoint, body), isAnthropic(endpoint) ? CACHE_MARK : null);
}

/** What was said so far, turn by turn; empty where an endpoint knows no conversation. */
function turnsOf(endpoint: Endpoint, body: JsonObject): readonly Json[] {
  const turns = endpoint === 'responses' ? body.input : body.messages;
  if (endpoint === 'responses' && typeof turns === 'string') return [turns];
  return Array.isArray(turns) ? turns : [];
}

/** Words without what clients change about them from turn to turn: their form, and cache marks. */
function said(content: Json | undefined): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return withoutMarks(content);
  const parts = content as readonly Json[];
  return parts.map((part) => textOf(part) ?? withoutMarks(part)).join('\n');
}

function textOf(part: Json): string | null {
  return isObject(part) && typeof part.text === 'string' ? part.text : null;
}

/** Anthropic's clients move the cache's mark to their newest message. */
function withoutMarks(value: Json): string {
  return JSON.stringify(value, (key, member: Json) => (key === CACHE_MARK ? undefined : member));
}

const CACHE_MARK = 'cache_control';

function isAnthropic(endpoint: Endpoint): boolean {
  return dialectOf(endpoint) === 'anthropic';
}
