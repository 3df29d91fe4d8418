import type { Note } from '../call.ts';
import type { Json, JsonObject } from '../canonical.ts';
import { isObject } from '../json-values.ts';

/** What a translation could not carry over: each subject once, in the order of its discovery. */
export class Notes {
  readonly #reasons = new Map<string, string>();

  add(subject: string, reason = 'no counterpart at the provider'): void {
    if (!this.#reasons.has(subject)) this.#reasons.set(subject, reason);
  }

  /** Names each field of an object that the translation does not know, where it says anything. */
  rest(subject: string, object: JsonObject, known: ReadonlySet<string>, reason?: string): void {
    for (const [field, value] of Object.entries(object)) {
      if (!known.has(field) && saysAnything(value)) this.add(`${subject}.${field}`, reason);
    }
  }

  get list(): readonly Note[] {
    return [...this.#reasons].map(([subject, reason]) => ({ subject, reason }));
  }
}

function saysAnything(value: Json): boolean {
  if (value === null || value === false || value === '') return false;
  if (typeof value !== 'object') return true;
  return Object.keys(value).length > 0 && !(isObject(value) && value.enabled === false);
}
