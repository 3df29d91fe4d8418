import { REFUSAL_PHRASES } from './lists/refusal-phrases.ts';
import { phrasesOf } from './phrases.ts';
import { isUnspaced, type Words } from './words.ts';

const PHRASES = phrasesOf<string>(REFUSAL_PHRASES);
/** In which word a refusal begins, at the latest; in Chinese and Japanese, in which character. */
const BEGINS_WITHIN = { spaced: 16, unspaced: 48 };
/** An answer longer than this does something beside refusing. */
export const REFUSAL_CHARS_MAX = 1500;

/**
 * The language in which an answer of `chars` UTF-16 units refuses, or null: one of the phrases, and
 * it begins among the answer's first words.
 */
export function refusalOf(answer: Words, chars: number): string | null {
  if (chars > REFUSAL_CHARS_MAX) return null;
  const unspaced = isUnspaced(answer);
  return PHRASES.find(answer, BEGINS_WITHIN[unspaced ? 'unspaced' : 'spaced'])?.tag ?? null;
}
