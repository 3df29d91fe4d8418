import { type Words, wordsOf } from '../../../src/core/signals/words.ts';

/** A text as the rules get it. */
export const words = (text: string): Words => wordsOf(text, 160);
