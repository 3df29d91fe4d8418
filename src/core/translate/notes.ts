import type { Note } from '../call.ts';
import type { Json, JsonObject } from '../canonical.ts';
import { isObject } from '../json-values.ts';

export type FieldType =
  | 'number'
  | 'string'
  | 'object'
  | 'list'
  | 'string or list'
  | 'string or object';

/** Nobody is told of more: what an upstream or a client thinks up must not fill the memory. */
const NOTES_MAX = 32;
const CHARACTERS_MAX = 200;

/** What a translation could not carry over: each subject once, in the order of its discovery. */
export class Notes {
  readonly #reasons = new Map<string, string>();

  add(subject: string, reason = 'no counterpart at the provider'): void {
    if (this.#reasons.size >= NOTES_MAX) return;
    const known = subject.slice(0, CHARACTERS_MAX);
    if (!this.#reasons.has(known)) this.#reasons.set(known, reason.slice(0, CHARACTERS_MAX));
  }

  /** Names each field of an object that the translation does not know, where it says anything. */
  rest(subject: string, object: JsonObject, known: ReadonlySet<string>, reason?: string): void {
    for (const [field, value] of Object.entries(object)) {
      if (!known.has(field) && saysAnything(value)) this.add(`${subject}.${field}`, reason);
    }
  }

  /** Names each field whose value is of a type that says nothing there, so that it is not read. */
  types(object: JsonObject, expected: Readonly<Record<string, FieldType>>): void {
    for (const field in expected) {
      const value = object[field];
      if (value === undefined || value === null) continue;
      const type = Array.isArray(value) ? 'list' : typeof value;
      const wanted = expected[field] as FieldType;
      if (!wanted.split(' or ').includes(type)) this.add(field, `not read: it is no ${wanted}`);
    }
  }

  get list(): readonly Note[] {
    return [...this.#reasons].map(([subject, reason]) => ({ subject, reason }));
  }
}

/** As `x-hive-notes` tells them. */
export function notesText(notes: readonly Note[]): string {
  return notes.map(({ subject, reason }) => `${subject}: ${reason}`).join(', ');
}

/** Null, false, and what is empty ask for nothing. */
export function saysAnything(value: Json): boolean {
  if (value === null || value === false || value === '') return false;
  if (typeof value !== 'object') return true;
  return Object.keys(value).length > 0 && !(isObject(value) && value.enabled === false);
}
