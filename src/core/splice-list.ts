import type { Json } from './canonical.ts';
import { BRACKET_CLOSE, BRACKET_OPEN, COMMA, expect, skipSpace, valueEnd } from './json-scan.ts';
import type { JsonTexts } from './json-texts.ts';

/** A range of bytes and what comes in its place. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A list's elements in its bytes: where each begins and ends, one after the other. */
export interface ListScan {
  readonly begin: number;
  readonly ends: readonly number[];
  /** Behind the closing bracket. */
  readonly end: number;
}

/**
 * The edits that make one list of another in its bytes, ascending. `old` is what the scanned list
 * was parsed to. An element that is still the very same value stays byte for byte; only what lies
 * between such elements is written anew.
 */
export function listEdits(
  scan: ListScan,
  old: readonly Json[],
  next: readonly Json[],
  texts: JsonTexts,
): readonly Edit[] {
  if (old === next) return [];
  const { ends } = scan;
  const edits: Edit[] = [];
  // The first elements that are not accounted for yet, and where the last kept one's bytes end.
  let [from, begin, kept_end] = [0, 0, -1];
  for (let index = 0; index <= next.length; index += 1) {
    const isEnd = index === next.length;
    const found = isEnd ? old.length : old.indexOf(next[index] as Json, from);
    if (found === -1) continue;
    if (found > from || index > begin) {
      const text = textOf(next, begin, index, texts);
      const gone_end = found > from ? (ends[found * 2 - 1] as number) : null;
      const next_start = isEnd ? null : (ends[found * 2] as number);
      edits.push(
        kept_end === -1
          ? firstEdit(scan, text, gone_end, next_start)
          : laterEdit(kept_end, text, gone_end),
      );
    }
    [from, begin, kept_end] = [found + 1, index + 1, ends[found * 2 + 1] ?? kept_end];
  }
  return edits;
}

/** The elements from `begin` to before `end`, parted by commas. */
function textOf(list: readonly Json[], begin: number, end: number, texts: JsonTexts): string {
  let text = '';
  for (let index = begin; index < end; index += 1) {
    const element = texts.of(list[index]);
    text += index === begin ? element : `,${element}`;
  }
  return text;
}

/** Before the first kept element: what is cut takes the comma behind it along. */
function firstEdit(
  { begin, ends }: ListScan,
  text: string,
  gone_end: number | null,
  next_start: number | null,
): Edit {
  const start = ends[0] ?? begin + 1;
  if (next_start === null) return { start, end: gone_end ?? start, text };
  if (text === '') return { start, end: next_start, text };
  return gone_end === null
    ? { start, end: start, text: `${text},` }
    : { start, end: gone_end, text };
}

/** Behind a kept element: all that is written or cut there has its comma in front. */
function laterEdit(start: number, text: string, gone_end: number | null): Edit {
  return { start, end: gone_end ?? start, text: text === '' ? '' : `,${text}` };
}

export function scanList(bytes: Buffer, begin: number): ListScan {
  expect(bytes, begin, BRACKET_OPEN);
  const ends: number[] = [];
  let at = skipSpace(bytes, begin + 1);
  if (bytes[at] === BRACKET_CLOSE) return { begin, ends, end: at + 1 };
  for (;;) {
    const end = valueEnd(bytes, at);
    ends.push(at, end);
    at = skipSpace(bytes, end);
    if (bytes[at] === BRACKET_CLOSE) return { begin, ends, end: at + 1 };
    expect(bytes, at, COMMA);
    at = skipSpace(bytes, at + 1);
  }
}
