import type { JsonObject } from '../canonical.ts';
import { textIn } from '../json-values.ts';
import type { SystemWords } from './system-text.ts';

export interface Replacement {
  readonly anchor: string;
  readonly expect: number;
  readonly text: string;
}

/**
 * The words with every anchor replaced, or null where it does not stand there just as often as
 * expected. Parts that a client marked to be cached are not looked into: they stay byte for byte.
 */
export function replaceText(words: SystemWords, one: Replacement): SystemWords | null {
  const { anchor, expect, text } = one;
  if (countIn(words, anchor) !== expect) return null;
  if (typeof words === 'string') return words.split(anchor).join(text);
  return words.map((part): JsonObject => {
    const own = openText(part);
    return own?.includes(anchor) ? { ...part, text: own.split(anchor).join(text) } : part;
  });
}

/** Whether it stands there as if it had been done: no anchor is left but within the new text. */
export function isReplaced(words: SystemWords, { anchor, expect, text }: Replacement): boolean {
  const texts = openTexts(words);
  if (text === '') return texts.every((own) => !own.includes(anchor));
  return countIn(words, text) >= expect && texts.every((own) => isWithin(own, anchor, text));
}

/** Whether every occurrence of the anchor lies inside one of the text. */
function isWithin(own: string, anchor: string, text: string): boolean {
  const offset = text.indexOf(anchor);
  const covered = new Set<number>();
  for (let at = own.indexOf(text); offset !== -1 && at !== -1; at = own.indexOf(text, at + 1)) {
    for (let in_ = offset; in_ !== -1; in_ = text.indexOf(anchor, in_ + 1)) covered.add(at + in_);
  }
  for (let at = own.indexOf(anchor); at !== -1; at = own.indexOf(anchor, at + 1)) {
    if (!covered.has(at)) return false;
  }
  return true;
}

function countIn(words: SystemWords, anchor: string): number {
  return openTexts(words).reduce((sum, own) => sum + own.split(anchor).length - 1, 0);
}

function openTexts(words: SystemWords): readonly string[] {
  if (typeof words === 'string') return [words];
  return words.map(openText).filter((text) => text !== null);
}

function openText(part: JsonObject): string | null {
  return Object.hasOwn(part, 'cache_control') ? null : textIn(part.text);
}
