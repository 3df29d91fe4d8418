/** What an answer says, as its decoder hands it on: a whole answer at once, a stream in pieces. */
export interface SaidPiece {
  readonly text?: string;
  /** Calls of tools that it begins. */
  readonly tools?: number;
  /** It stands in the dialect's own field for refusals. */
  readonly refusal?: boolean;
}

/** Kept of an answer for the rules, at each end; a longer middle is only counted. */
export const END_CHARS = 128;

/**
 * An answer's text as far as the rules look at it: both ends and the length. Where JSON was asked
 * for it is kept whole, up to `whole_max`. Lives as long as its call and is never stored.
 */
export class SaidText {
  readonly #whole_max: number;
  #pieces: string[] = [];
  /** Characters in `#pieces`. */
  #kept = 0;
  #head: string | null = null;
  chars = 0;
  tools = 0;
  refused = false;

  constructor(whole_max = 0) {
    this.#whole_max = Math.max(whole_max, END_CHARS * 8);
  }

  add({ text, tools, refusal }: SaidPiece): void {
    if (tools !== undefined) this.tools += tools;
    if (refusal) this.refused = true;
    if (text === undefined || text === '') return;
    this.chars += text.length;
    this.#pieces.push(text);
    this.#kept += text.length;
    if (this.#kept > this.#whole_max) this.#trim();
  }

  /** An empty one that keeps as much. */
  fresh(): SaidText {
    return new SaidText(this.#whole_max);
  }

  /** All of it, or null where it was too long to be kept. */
  whole(): string | null {
    return this.chars === this.#kept ? this.#joined() : null;
  }

  /** Its beginning and its end: all of it, or at least `END_CHARS` of each. */
  ends(): string {
    const text = this.#joined();
    return this.#head === null ? text : this.#head + text.slice(-END_CHARS);
  }

  #joined(): string {
    if (this.#pieces.length > 1) this.#pieces = [this.#pieces.join('')];
    return this.#pieces[0] ?? '';
  }

  #trim(): void {
    const text = this.#joined();
    this.#head ??= text.slice(0, END_CHARS);
    const tail = text.slice(-END_CHARS);
    this.#pieces = [tail];
    this.#kept = tail.length;
  }
}
