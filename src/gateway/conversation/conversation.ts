import { dialectOf, type Endpoint } from '../../core/call.ts';
import type { Json, JsonObject } from '../../core/canonical.ts';
import { isObject } from '../../core/json-values.ts';
import { digestSaid, digestTurns, type TurnDigests } from './turn-digests.ts';

/**
 * What was said in a call so far, as digests: by them a repetition or a continuation is known, and
 * the conversation itself, by what it begins with. Computed when first asked for: of a call whose
 * user is named nobody asks before its request has been sent on.
 */
export class Conversation {
  readonly #turns: readonly Json[];
  readonly #system: Json | undefined;
  readonly #ignored: string | null;
  #digests: TurnDigests | null = null;

  constructor(endpoint: Endpoint, body: JsonObject) {
    const anthropic = dialectOf(endpoint) === 'anthropic';
    this.#turns = turnsOf(endpoint, body);
    this.#system = anthropic
      ? body.system
      : endpoint === 'responses'
        ? body.instructions
        : undefined;
    this.#ignored = anthropic ? CACHE_MARK : null;
  }

  /** Each turn so far; none where an endpoint knows no conversation. */
  get digests(): TurnDigests {
    this.#digests ??= digestTurns(this.#turns, this.#ignored);
    return this.#digests;
  }

  /**
   * Digests of the system's words and of all up to the first thing that the user said: they stay
   * the same while the conversation grows. Null where no user said anything.
   */
  beginning(): Beginning | null {
    const first = firstOfUser(this.#turns);
    if (first < 0) return null;
    const { high, low } = this.digests;
    const system = digestSaid(this.#system, this.#ignored);
    return { system, high: high[first] as number, low: low[first] as number };
  }

  /** The same as one text. */
  opening(): string | null {
    const beginning = this.beginning();
    return beginning === null ? null : openingOf(beginning);
  }
}

/** What a conversation begins with. */
export interface Beginning {
  /** Empty where a system's words are among the turns, or there are none. */
  readonly system: string;
  readonly high: number;
  readonly low: number;
}

export function openingOf({ system, high, low }: Beginning): string {
  return `${system}:${high}:${low}`;
}

function firstOfUser(turns: readonly Json[]): number {
  for (let at = 0; at < turns.length; at += 1) if (isUsers(turns[at] as Json)) return at;
  return -1;
}

function isUsers(turn: Json): boolean {
  return typeof turn === 'string' || (isObject(turn) && turn.role === 'user');
}

/** What was said so far, turn by turn; empty where an endpoint knows no conversation. */
function turnsOf(endpoint: Endpoint, body: JsonObject): readonly Json[] {
  const turns = endpoint === 'responses' ? body.input : body.messages;
  if (endpoint === 'responses' && typeof turns === 'string') return [turns];
  return Array.isArray(turns) ? turns : [];
}

/** Anthropic's clients move the cache's mark to their newest message. */
const CACHE_MARK = 'cache_control';
