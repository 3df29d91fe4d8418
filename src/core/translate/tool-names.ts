import { createHash } from 'node:crypto';
import type { Json } from '../canonical.ts';
import { textIn } from '../json-values.ts';
import type { Notes } from './notes.ts';

/** What OpenAI takes for the name of a function; Anthropic's tools may have 128 characters. */
const TAKEN = /^[A-Za-z0-9_-]{1,64}$/;
const NAME_MAX = 64;
const DIGEST_CHARACTERS = 10;

/**
 * The names of a request's tools, as OpenAI takes them: most stay as they are. One that is refused
 * there is cut, and marked by a digest of the whole, so that it is the same in every request, and
 * two that begin alike stay two.
 */
export class ToolNames {
  #originals: Map<string, string> | null = null;

  /** The name to send. */
  sent(given: Json | undefined, notes: Notes): string {
    const name = textIn(given);
    if (name === '' || TAKEN.test(name)) return name;
    const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_CHARACTERS);
    const kept = name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, NAME_MAX - digest.length - 1);
    const short = `${kept}_${digest}`;
    this.#originals ??= new Map();
    this.#originals.set(short, name);
    notes.add('tools.name', 'shortened where the provider refuses it, and given back whole');
    return short;
  }

  /** Names as the client has them, by what was sent in their place; null where all were sent. */
  get originals(): ReadonlyMap<string, string> | null {
    return this.#originals;
  }
}
