import { SENTIMENT_SHIFTS, SENTIMENT_WORDS } from './lists/sentiment-words.ts';
import { phrasesOf } from './phrases.ts';
import { wordsOf } from './words.ts';

/** How a comment sounds. A model may stand behind the same interface. */
export interface Sentiment {
  readonly name: string;
  /** −1 (displeased) to 1; null where nothing in the text says either. Must not throw. */
  of(text: string): number | null;
}

type Weight = keyof typeof SENTIMENT_WORDS;
const WORDS = phrasesOf<`${Weight}`>(SENTIMENT_WORDS);
const SHIFTS = phrasesOf<keyof typeof SENTIMENT_SHIFTS>(SENTIMENT_SHIFTS);

/** Read of a comment at each end. */
const CHARS = 600;
/** How many words before a word may turn or stress it. */
const REACH = 3;
/** `not good` is milder than `bad`. */
const TURNED = -0.6;
const STRESSED = 1.5;
const WEAKENED = 0.6;
/** Softens the sum to −1..1, as VADER does (Hutto and Gilbert, ICWSM 2014), with its constant. */
const SOFTENING = 15;

/** A lexicon with negation, stress and weakening; docs/signals.md says what it cannot see. */
export const sentimentRules: Sentiment = {
  name: 'rules',
  of(text) {
    const words = wordsOf(text, CHARS);
    let sum = 0;
    let hits = 0;
    let behind = 0;
    let found = WORDS.find(words, words.count);
    while (found !== null) {
      const { tag, at, end } = found;
      // What has spoken for itself does not turn what comes after it.
      const from = Math.max(behind, at - REACH);
      let weight = Number(tag);
      let shift = SHIFTS.find(words, at - from, from);
      while (shift !== null && shift.at < at) {
        if (shift.tag === 'negation') weight *= TURNED;
        else weight *= shift.tag === 'stress' ? STRESSED : WEAKENED;
        shift = SHIFTS.find(words, at - shift.end, shift.end);
      }
      sum += weight;
      hits += 1;
      behind = end;
      found = WORDS.find(words, words.count - end, end);
    }
    if (hits === 0) return null;
    return Math.round((sum / Math.sqrt(sum * sum + SOFTENING)) * 1000) / 1000;
  },
};
