import { type Words, wordsOf } from './words.ts';

/** Lines of phrases, parted by ` | `, by what they mean; `*` in a phrase is any one word. */
export type PhraseLists<Tag extends string> = Readonly<Record<Tag, readonly string[]>>;

export interface Phrases<Tag extends string> {
  /**
   * The phrase that begins first among the words from `from` on, at most `within` words in; of
   * those that begin there the longest. `at` and `end` count words, `end` is behind its last one.
   */
  find(words: Words, within: number, from?: number): FoundPhrase<Tag> | null;
}

export interface FoundPhrase<Tag extends string> {
  readonly tag: Tag;
  readonly at: number;
  readonly end: number;
}

interface Phrase<Tag> {
  readonly tag: Tag;
  /** Hashes of its words; null is any one word. */
  readonly words: readonly (number | null)[];
}

/** Phrases by their first word, so that a text is compared only where one may begin. */
export function phrasesOf<Tag extends string>(lists: PhraseLists<Tag>): Phrases<Tag> {
  const byFirst = new Map<number, Phrase<Tag>[]>();
  for (const [tag, phrases] of Object.entries(lists) as [Tag, readonly string[]][]) {
    for (const phrase of phrases.flatMap((line) => line.split(' | '))) {
      const words = phrase.split('*').flatMap((part, index) => {
        const { hashes, count } = wordsOf(part, 200);
        return [...(index > 0 ? [null] : []), ...hashes.slice(0, count)];
      });
      const [first] = words;
      if (first === undefined || first === null) throw new TypeError(`no first word: ${phrase}`);
      const known = byFirst.get(first) ?? [];
      known.push({ tag, words });
      byFirst.set(first, known);
    }
  }
  for (const known of byFirst.values()) {
    known.sort((left, right) => right.words.length - left.words.length);
  }
  return {
    find(words, within, from = 0) {
      const last = Math.min(words.count, from + within);
      for (let at = from; at < last; at += 1) {
        const candidates = byFirst.get(words.hashes[at] as number);
        const found = candidates?.find((one) => stands(one, words, at));
        if (found) return { tag: found.tag, at, end: at + found.words.length };
      }
      return null;
    },
  };
}

function stands(phrase: Phrase<string>, { hashes, count }: Words, at: number): boolean {
  const { words } = phrase;
  if (at + words.length > count) return false;
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index];
    if (word !== null && word !== hashes[at + index]) return false;
  }
  return true;
}
