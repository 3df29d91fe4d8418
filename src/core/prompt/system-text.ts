import type { Json, JsonObject } from '../canonical.ts';
import { isObject, textIn } from '../json-values.ts';

/**
 * The system's words as clients write them: a text, or a list of text parts. Every function returns
 * the very same value where nothing has to change.
 */
export type SystemWords = string | readonly JsonObject[];

export const BLANK_LINE = '\n\n';

/** Whether it is a text or a list of nothing but text parts. */
export function isWords(content: Json | undefined): content is SystemWords {
  if (typeof content === 'string') return true;
  return Array.isArray(content) && content.every(isTextPart);
}

function isTextPart(part: Json): boolean {
  return isObject(part) && part.type === 'text' && typeof part.text === 'string';
}

/** At the end, behind what a client marked to be cached: its marks and parts stay as they are. */
export function appendText(words: SystemWords, text: string): SystemWords {
  if (endsWithText(words, text)) return words;
  if (typeof words === 'string') return words === '' ? text : `${words}${BLANK_LINE}${text}`;
  return [...words, { type: 'text', text: words.length > 0 ? `${BLANK_LINE}${text}` : text }];
}

export function prependText(words: SystemWords, text: string): SystemWords {
  if (startsWithText(words, text)) return words;
  if (typeof words === 'string') return words === '' ? text : `${text}${BLANK_LINE}${words}`;
  return [{ type: 'text', text: words.length > 0 ? `${text}${BLANK_LINE}` : text }, ...words];
}

export function endsWithText(words: SystemWords, text: string): boolean {
  const whole = typeof words === 'string' ? words : words.at(-1)?.text;
  if (typeof whole !== 'string') return false;
  return whole === text || whole.endsWith(`${BLANK_LINE}${text}`);
}

export function startsWithText(words: SystemWords, text: string): boolean {
  const whole = typeof words === 'string' ? words : words[0]?.text;
  if (typeof whole !== 'string') return false;
  return whole === text || whole.startsWith(`${text}${BLANK_LINE}`);
}

/** All the words as one text. */
export function wholeText(words: SystemWords): string {
  return typeof words === 'string' ? words : words.map(({ text }) => textIn(text)).join('');
}
