import type { Json, JsonObject } from '../canonical.ts';
import { isObject } from '../json-values.ts';
import { Latest } from '../latest.ts';

/** An application says the same to the model beforehand in nearly all of its calls. */
const KEPT_MAX = 4;

/**
 * What a patch made of the latest messages of the system: an equal one becomes the very same, which
 * is neither made nor put into JSON again. Only of messages that are a role and a text.
 */
export class PatchedMessages {
  readonly #latest = new Latest<Kept>(KEPT_MAX);

  find(message: Json | undefined): JsonObject | null {
    if (!isObject(message)) return null;
    for (const one of this.#latest.all) {
      const same = message.content === one.content && message.role === one.role;
      if (same && isPlain(message)) return one.patched;
    }
    return null;
  }

  /** `patched` is frozen from now on. */
  keep(message: Json | undefined, patched: Json | undefined): void {
    if (!isObject(message) || !isObject(patched) || !isPlain(message)) return;
    const { role, content } = message;
    this.#latest.keep({ role, content, patched: Object.freeze(patched) });
  }
}

interface Kept {
  readonly role: Json | undefined;
  readonly content: Json | undefined;
  readonly patched: JsonObject;
}

function isPlain(message: JsonObject): boolean {
  if (typeof message.content !== 'string') return false;
  let members = 0;
  for (const _ in message) members += 1;
  return members === 2;
}
