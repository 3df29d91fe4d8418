import { isUtf8 } from 'node:buffer';
import {
  BACKSLASH,
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COMMA,
  QUOTE,
  stringEnd,
} from './json-scan.ts';

export interface OutlineLimits {
  /** Kept of one string. */
  readonly string_bytes: number;
  /** Kept of one list or object. */
  readonly members: number;
}

const LIMITS: OutlineLimits = { string_bytes: 64 * 1024, members: 256 };
const DEPTH_MAX = 64;
/** The longest escape is a pair of surrogates: \ud83d\udc1d. */
const ESCAPE_BYTES = 12;

/**
 * The JSON of a large body without the most of what makes it large: of a string its first 64 KiB,
 * of a list or an object its first 256 members. What the gateway wants to know of an answer stands
 * in the rest, and parsing that takes a millisecond where all of 60 MB hold everybody up for a
 * quarter of a second. It is made in steps, so that others are heard between them.
 *
 * What is left out is not parsed: only its strings and brackets have to end.
 */
export class JsonOutline {
  readonly #bytes: Buffer;
  readonly #limits: OutlineLimits;
  readonly #kept: Buffer[] = [];
  /** Members that the open lists and objects have had, the innermost last. */
  readonly #members: number[] = [];
  #at = 0;
  /** From here on nothing has been copied yet. */
  #from = 0;
  /** How many are open where the rest of one is left out; 0 where nothing is. */
  #left_out = 0;
  #broken: boolean;
  #deep = false;

  constructor(bytes: Buffer, limits = LIMITS) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#broken = !isUtf8(bytes);
  }

  /** Reads about so many bytes more; whether it is done. */
  step(bytes_max: number): boolean {
    const end = Math.min(this.#bytes.length, this.#at + bytes_max);
    try {
      while (this.#at < end && !this.#isOver) this.#next(this.#bytes[this.#at] as number);
    } catch {
      this.#broken = true;
    }
    return this.#isOver || this.#at >= this.#bytes.length;
  }

  /** Null where it cannot be JSON; `deep` where it is too deep to be looked through so. */
  result(): Buffer | 'deep' | null {
    if (this.#deep) return 'deep';
    if (this.#broken || this.#members.length > 0) return null;
    this.#keep(this.#bytes.length);
    return Buffer.concat(this.#kept);
  }

  get #isOver(): boolean {
    return this.#broken || this.#deep;
  }

  #next(byte: number): void {
    if (byte === QUOTE) {
      this.#string();
      return;
    }
    const members = this.#members;
    if (byte === BRACE_OPEN || byte === BRACKET_OPEN) {
      if (members.push(0) > DEPTH_MAX) this.#deep = true;
    } else if (byte === BRACE_CLOSE || byte === BRACKET_CLOSE) {
      if (this.#left_out === members.length && this.#left_out > 0) {
        this.#left_out = 0;
        this.#from = this.#at;
      }
      if (members.pop() === undefined) this.#broken = true;
    } else if (byte === COMMA && this.#left_out === 0 && members.length > 0) {
      const count = (members[members.length - 1] as number) + 1;
      members[members.length - 1] = count;
      if (count >= this.#limits.members) {
        this.#keep(this.#at);
        this.#left_out = members.length;
      }
    }
    this.#at += 1;
  }

  #string(): void {
    const begin = this.#at;
    this.#at = stringEnd(this.#bytes, begin);
    const { string_bytes } = this.#limits;
    if (this.#left_out > 0 || this.#at - begin <= string_bytes + 2) return;
    this.#keep(cutBefore(this.#bytes, begin + 1 + string_bytes, begin + 1));
    this.#from = this.#at - 1;
  }

  #keep(to: number): void {
    if (to > this.#from) this.#kept.push(this.#bytes.subarray(this.#from, to));
  }
}

/** The last place up to `at` where a string may be cut: amid no character and no escape. */
function cutBefore(bytes: Buffer, at: number, begin: number): number {
  for (let cut = at; cut > begin; cut -= 1) {
    if (((bytes[cut] as number) & 0xc0) === 0x80) continue;
    const first = Math.max(begin, cut - ESCAPE_BYTES);
    let slash = cut - 1;
    while (slash >= first && bytes[slash] !== BACKSLASH) slash -= 1;
    if (slash < first) return cut;
    // Nothing but escapes: none of it is kept, however long that lasts.
    cut = slash + 1;
  }
  return begin;
}
