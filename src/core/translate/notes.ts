import type { Note } from '../call.ts';

/** What a translation could not carry over: each subject once, in the order of its discovery. */
export class Notes {
  readonly #reasons = new Map<string, string>();

  add(subject: string, reason = 'no counterpart at the provider'): void {
    if (!this.#reasons.has(subject)) this.#reasons.set(subject, reason);
  }

  get list(): readonly Note[] {
    return [...this.#reasons].map(([subject, reason]) => ({ subject, reason }));
  }
}
