import type { Json, JsonObject } from '../../core/canonical.ts';
import { isObject } from '../../core/json-values.ts';
import { mix } from './recency-index.ts';

/**
 * A chain of 64-bit digests, one a turn: each covers all turns up to its own, so that "is a prefix
 * of" is one comparison, and the whole costs one pass without a copy of what was said. They are
 * compared among the calls of one unit and never stored: whoever makes two of them collide only
 * confuses what is thought of their own calls. `high[i]` and `low[i]` are a digest's halves.
 */
export interface TurnDigests {
  readonly count: number;
  readonly high: readonly number[];
  readonly low: readonly number[];
}

/** `ignored`: a key whose members say nothing of the turn, such as a mark of the cache's. */
export function digestTurns(turns: readonly Json[], ignored: string | null = null): TurnDigests {
  const count = turns.length;
  // A typed array costs more to make than all that is put into it.
  const high: number[] = [];
  const low: number[] = [];
  const chain = new Chain(ignored);
  for (let index = 0; index < count; index += 1) {
    chain.value(turns[index] as Json);
    high.push(chain.high());
    low.push(chain.low());
  }
  return { count, high, low };
}

/** A digest of one message's words, whatever form they have; of nothing, an empty text. */
export function digestSaid(content: Json | undefined, ignored: string | null = null): string {
  if (content === undefined || content === null || content === '') return '';
  const chain = new Chain(ignored);
  chain.said(content);
  return `${chain.high()}:${chain.low()}`;
}

/**
 * Two 32-bit halves (cyrb53's mixing) over a text's UTF-8, or the units of a short one, and marks
 * between the parts of a value. Each half takes every second four bytes, which costs an eighth of
 * the time; a text that differs in one of them still differs in a half, and the halves are mixed
 * where a digest is taken.
 */
class Chain {
  readonly #ignored: string | null;
  #first = 0xdeadbeef;
  #second = 0x41c6ce57;

  constructor(ignored: string | null) {
    this.#ignored = ignored;
  }

  value(value: Json): void {
    if (typeof value === 'string') this.#text(STRING, value);
    else if (typeof value !== 'object' || value === null) this.#text(SCALAR, String(value));
    else if (Array.isArray(value)) {
      this.#unit(LIST);
      for (const member of value as readonly Json[]) this.value(member);
      this.#unit(END);
    } else {
      this.#unit(OBJECT);
      const members = value as JsonObject;
      for (const key in members) {
        if (key === this.#ignored) continue;
        this.#text(KEY, key);
        const member = members[key] as Json;
        if (key === 'content') this.said(member);
        else this.value(member);
      }
      this.#unit(END);
    }
  }

  /** Clients change the form of what was said before: a text, then a list with one text in it. */
  said(content: Json): void {
    if (typeof content === 'string') this.#text(SAID, content);
    else if (Array.isArray(content)) {
      for (const part of content as readonly Json[]) {
        if (isObject(part) && typeof part.text === 'string') this.#text(SAID, part.text);
        else this.value(part);
      }
    } else this.value(content);
    this.#unit(END);
  }

  high(): number {
    return mix(this.#first, this.#second);
  }

  low(): number {
    return mix(this.#second, this.#first);
  }

  #text(mark: number, text: string): void {
    let first = Math.imul(this.#first ^ mark, 2654435761);
    let second = Math.imul(this.#second ^ text.length, 1597334677);
    if (text.length < COPIED_MIN) {
      for (let index = 0; index < text.length; index += 1) {
        first = Math.imul(first ^ text.charCodeAt(index), 2654435761);
        first ^= first >>> 15;
      }
      this.#first = first;
      this.#second = second;
      return;
    }
    // Units read one by one out of a string cost several times as much as a copy of them.
    for (let from = 0; from < text.length; from += COPIED_MAX) {
      const piece = text.length <= COPIED_MAX ? text : text.slice(from, from + COPIED_MAX);
      const bytes = COPY.write(piece);
      const words = (bytes >>> 3) << 1;
      for (let at = 0; at < words; at += 2) {
        first = Math.imul(first ^ (WORDS[at] as number), 2654435761);
        second = Math.imul(second ^ (WORDS[at + 1] as number), 1597334677);
        // Multiplying alone never moves a difference to lower bits.
        first ^= first >>> 15;
        second ^= second >>> 13;
      }
      for (let at = words << 2; at < bytes; at += 1) {
        first = Math.imul(first ^ (COPY[at] as number), 2654435761);
        first ^= first >>> 15;
      }
    }
    this.#first = first;
    this.#second = second;
  }

  #unit(mark: number): void {
    this.#first = Math.imul(this.#first ^ mark, 2654435761);
    this.#second = Math.imul(this.#second ^ mark, 1597334677);
  }
}

/** Units of a text that are read from a copy, at least and at a time. */
const COPIED_MIN = 24;
const COPIED_MAX = 8192;
/** Holds nothing: it is written and read at once, and made once because it is large. */
const COPY = Buffer.alloc(COPIED_MAX * 3);
const WORDS: Readonly<Int32Array> = new Int32Array(COPY.buffer, COPY.byteOffset, COPY.length / 4);

const STRING = 0x10001;
const SCALAR = 0x10002;
const LIST = 0x10003;
const OBJECT = 0x10004;
const KEY = 0x10005;
const END = 0x10006;
const SAID = 0x10007;
