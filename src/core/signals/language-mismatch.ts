import { languageOf } from './language.ts';
import { LANGUAGE_NAMES } from './lists/language-names.ts';
import { phrasesOf } from './phrases.ts';
import { WORDS_MAX, type Words } from './words.ts';

const NAMES = phrasesOf(LANGUAGE_NAMES);
/** Words below which neither text is judged. */
const ASKED_WORDS_MIN = 5;
const ANSWER_WORDS_MIN = 8;

/** Whether a text speaks of a language, so that an answer in another one may be what is wanted. */
export function namesLanguage(words: Words): boolean {
  return NAMES.find(words, WORDS_MAX) !== null;
}

/**
 * The languages of a message and of its answer where both can be told, they differ, and the message
 * does not speak of languages; else null.
 */
export function languageMismatch(asked: Words, answer: Words): readonly [string, string] | null {
  if (asked.count < ASKED_WORDS_MIN || answer.count < ANSWER_WORDS_MIN) return null;
  const answered = languageOf(answer);
  if (answered === null) return null;
  const wanted = languageOf(asked);
  if (wanted === null || wanted === answered || namesLanguage(asked)) return null;
  return [wanted, answered];
}
