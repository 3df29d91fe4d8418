import { decodedTexts } from './decoded-texts.ts';
import { foldText, mirrored, squeezed, stepsOf, unleeted, wordsIn } from './plain-text.ts';

/** A run of so many letters and digits, or of so many words, of what somebody else wrote. */
export const RUN_CHARS = 40;
export const RUN_WORDS = 8;
/** A whole sentence of theirs counts from this on: orders are short. */
const SENTENCE_CHARS = 16;
const SENTENCE_WORDS = 4;
/** What is left of such a run without its vowels. */
const RUN_CONSONANTS = 24;

export type BorrowedKind = 'run' | 'words' | 'sentence';

/** What somebody wrote, in the forms in which it is compared; made once, however many compare. */
export interface Written {
  readonly letters: readonly string[];
  /** Without vowels, as which a run is shorter. */
  readonly consonants: readonly string[];
  readonly word_runs: readonly string[];
  readonly sentences: readonly string[];
}

/** Says what of somebody's text a proposal repeats, or null. */
export type Borrowing = (theirs: Written) => BorrowedKind | null;

/** Pure; linear in the text. */
export function readWritten(text: string): Written {
  const said = saidIn(text);
  const spread = everyNth(squeezed(said[0] ?? ''), 2, 0);
  const pig = said.flatMap((one) => [pigLatin(one, ''), pigLatin(one, 'way')]);
  const forms = [...new Set([...said, ...said.map(unleeted), spread, ...pig])];
  return {
    letters: forms.map(lettersOf),
    consonants: said.map((one) => lettersOf(withoutVowels(one))),
    word_runs: forms.flatMap((form) => wordRuns(wordsIn(form))),
    sentences: forms.flatMap(sentencesOf),
  };
}

/** For a text that may repeat others', in any disguise that `readingsOf` undoes. */
export function openBorrowing(text: string): Borrowing {
  const folded = readingsOf(text);
  const own = [...new Set([...folded].map(lettersOf))];
  const bare = [lettersOf(withoutVowels(foldText(text)))];
  const hasLetters = runFinder(own, RUN_CHARS);
  const hasConsonants = runFinder(bare, RUN_CONSONANTS);
  const runs = new Set([...folded].flatMap((one) => wordRuns(wordsIn(one))));
  return ({ letters, consonants, word_runs, sentences }) => {
    if (letters.some(hasLetters) || consonants.some(hasConsonants)) return 'run';
    if (word_runs.some((run) => runs.has(run))) return 'words';
    const isThere = (sentence: string): boolean => own.some((one) => one.includes(sentence));
    return sentences.some(isThere) ? 'sentence' : null;
  };
}

/** Letters as they are compared: whatever number of places all of them were moved on by. */
function lettersOf(folded: string): string {
  return stepsOf(squeezed(folded));
}

/** All that a text may be read as. */
function readingsOf(text: string): ReadonlySet<string> {
  const plain = [text, ...decodedTexts(text), ...decodedTexts(backwards(text))].map(foldText);
  const readings = new Set(plain);
  for (const one of plain) {
    for (const reading of [unleeted(one), one.replaceAll('1', 'l'), mirrored(one)]) {
      readings.add(reading);
    }
    readings.add(wordsIn(one).toReversed().join(' '));
    readings.add(wordsIn(one).map(backwards).join(' '));
    readings.add(initials(wordsIn(one)));
    readings.add(initials(one.split('\n').map((line) => line.trim())));
    for (const start of [0, 1]) {
      readings.add(
        wordsIn(one)
          .filter((_, at) => at % 2 === start)
          .join(' '),
      );
    }
    const letters = squeezed(one);
    for (const step of [2, 3]) {
      for (let start = 0; start < step; start += 1) readings.add(everyNth(letters, step, start));
    }
  }
  // `decodedTexts` never sees rot13 of base64: a rotated text is decoded as well.
  for (const one of decodedTexts(rot13(text))) readings.add(foldText(one));
  for (const one of Array.from(readings)) readings.add(backwards(one));
  return readings;
}

/** What somebody wrote, and what it says where it is encoded. */
function saidIn(text: string): readonly string[] {
  return [...new Set([text, rot13(text), ...decodedTexts(text)].map(foldText))];
}

/** Whether a text has a run of `least` letters in common with one of `own`. */
function runFinder(own: readonly string[], least: number): (theirs: string) => boolean {
  // A run of that length holds a piece of half of it that begins at a multiple of that half.
  const size = least / 2;
  const pieces = new Set<string>();
  for (const one of own) {
    for (let at = 0; at + size <= one.length; at += 1) pieces.add(one.slice(at, at + size));
  }
  return (theirs) => {
    for (let at = 0; at + size <= theirs.length; at += size) {
      if (!pieces.has(theirs.slice(at, at + size))) continue;
      if (own.some((one) => longestAround(one, theirs, at, size) >= least)) return true;
    }
    return false;
  };
}

/** How long the longest run is that both have around the piece of `theirs` at `at`. */
function longestAround(own: string, theirs: string, at: number, size: number): number {
  const piece = theirs.slice(at, at + size);
  let longest = 0;
  for (let in_ = own.indexOf(piece); in_ !== -1; in_ = own.indexOf(piece, in_ + 1)) {
    let before = 0;
    while (before < Math.min(in_, at) && own[in_ - before - 1] === theirs[at - before - 1]) {
      before += 1;
    }
    let after = size;
    while (in_ + after < own.length && own[in_ + after] === theirs[at + after]) after += 1;
    longest = Math.max(longest, before + after);
  }
  return longest;
}

function wordRuns(words: readonly string[]): readonly string[] {
  const runs: string[] = [];
  for (let at = 0; at + RUN_WORDS <= words.length; at += 1) {
    runs.push(words.slice(at, at + RUN_WORDS).join(' '));
  }
  return runs;
}

function sentencesOf(folded: string): readonly string[] {
  return folded
    .split(/[.!?:;\n\r。！？]+/u)
    .filter((sentence) => wordsIn(sentence).length >= SENTENCE_WORDS)
    .map(squeezed)
    .filter((letters) => letters.length >= SENTENCE_CHARS)
    .map(stepsOf);
}

function backwards(text: string): string {
  return Array.from(text).reverse().join('');
}

function withoutVowels(folded: string): string {
  return folded.replaceAll(/[aeiou]/g, '');
}

function initials(parts: readonly string[]): string {
  return parts.map((part) => Array.from(part)[0] ?? '').join('');
}

function everyNth(letters: string, step: number, start: number): string {
  let kept = '';
  for (let at = start; at < letters.length; at += step) kept += letters[at];
  return kept;
}

function rot13(text: string): string {
  return text.replaceAll(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}

/** Consonants at the beginning go to the end, with `ay`; a word without gets `way`, or nothing. */
function pigLatin(folded: string, ending: '' | 'way'): string {
  return wordsIn(folded)
    .map((word) => {
      const [, moved = '', rest = ''] = /^([^aeiou\d]{0,3})(.+)$/.exec(word) ?? [];
      return moved === '' ? `${word}${ending}` : `${rest}${moved}ay`;
    })
    .join(' ');
}
