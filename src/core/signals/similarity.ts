import { isStopWord } from './language.ts';
import { hashOfLetters } from './words.ts';

/** Jaccard similarity from which a message counts as its predecessor asked again. */
export const REASK_SIMILARITY = 0.6;
/** Messages longer than this are not compared: most of such a text is what the app wraps it in. */
export const COMPARED_CHARS_MAX = 400;
/** Words that carry meaning, below which nothing is compared: `yes`, `go on`. */
const CONTENT_WORDS_MIN = 2;
/** How alike the words must be that only one of the two has: a typo, and no other thing. */
const CHANGED_SIMILARITY_MIN = 0.3;

const VECTOR_WORDS = 128;
const VECTOR_BITS = VECTOR_WORDS * 32;
const EDGE = 0x23;
const EMPTY: readonly number[] = Array.from({ length: VECTOR_WORDS }, () => 0);

/**
 * How alike two messages are: the Jaccard similarity of the character trigrams of their words,
 * without stop words, hashed into 4,096 bits; 0 to 1. Null where one is too long or too short to
 * compare. Where each has a word that the other lacks, and these are not alike themselves, another
 * thing is asked in the same words (`Paris` for `London`), and the similarity is that of those.
 */
export function similarityOf(earlier: string, later: string): number | null {
  if (earlier.length > COMPARED_CHARS_MAX || later.length > COMPARED_CHARS_MAX) return null;
  const left = contentOf(earlier);
  const right = contentOf(later);
  if (left.size < CONTENT_WORDS_MIN || right.size < CONTENT_WORDS_MIN) return null;
  const whole = jaccard(vectorOf(left.values()), vectorOf(right.values()));
  const gone = missing(left, right);
  const added = missing(right, left);
  if (gone.length === 0 || added.length === 0) return whole;
  const changed = jaccard(vectorOf(gone), vectorOf(added));
  return changed < CHANGED_SIMILARITY_MIN ? Math.min(whole, changed) : whole;
}

/** The same without a look at what changed: how much of two messages is the same frame. */
export function frameOf(earlier: string, later: string): number {
  if (earlier.length > COMPARED_CHARS_MAX || later.length > COMPARED_CHARS_MAX) return 0;
  const [left, right] = [contentOf(earlier), contentOf(later)];
  return jaccard(vectorOf(left.values()), vectorOf(right.values()));
}

/** The words that carry meaning, by their hash; of unspaced scripts, pairs of characters. */
function contentOf(text: string): Map<number, string> {
  const content = new Map<number, string>();
  for (const piece of text.toLowerCase().split(WORD_ENDS)) {
    if (piece === '') continue;
    if (UNSPACED.test(piece)) addPairs(content, piece);
    else {
      const hash = hashOfLetters(piece);
      if (!isStopWord(hash)) content.set(hash, piece);
    }
  }
  return content;
}

/** Each class stands alone, so matching is linear. */
const WORD_ENDS = /[^\p{L}\p{M}\p{N}'’]+/u;
const UNSPACED = /[\u3040-\u30ff\u3400-\u9fff]/;

function addPairs(content: Map<number, string>, piece: string): void {
  for (let at = 0; at + 1 < piece.length; at += 1) {
    const pair = piece.slice(at, at + 2);
    content.set((pair.charCodeAt(0) << 16) ^ pair.charCodeAt(1), pair);
  }
}

function missing(from: ReadonlyMap<number, string>, of: ReadonlyMap<number, string>): string[] {
  return [...from].filter(([hash]) => !of.has(hash)).map(([, word]) => word);
}

function vectorOf(words: Iterable<string>): readonly number[] {
  const vector = EMPTY.slice();
  for (const word of words) {
    let before = EDGE;
    let here = word.charCodeAt(0);
    for (let at = 1; at <= word.length; at += 1) {
      const next = at < word.length ? word.charCodeAt(at) : EDGE;
      const mixed =
        Math.imul(Math.imul(before, 31) + here, 0x9e3779b1) ^ Math.imul(next, 0x85ebca6b);
      const bit = ((mixed ^ (mixed >>> 15)) >>> 0) % VECTOR_BITS;
      vector[bit >>> 5] = (vector[bit >>> 5] as number) | (1 << (bit & 31));
      before = here;
      here = next;
    }
  }
  return vector;
}

function jaccard(left: readonly number[], right: readonly number[]): number {
  let both = 0;
  let either = 0;
  for (let at = 0; at < VECTOR_WORDS; at += 1) {
    both += bitsIn((left[at] as number) & (right[at] as number));
    either += bitsIn((left[at] as number) | (right[at] as number));
  }
  return either === 0 ? 0 : both / either;
}

function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
