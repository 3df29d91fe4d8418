/**
 * What a call looks like, in one pass over its text, without a model: the context of contextual
 * routing. The first DENSE columns are stated below, the others are hashed words and word pairs.
 */
export const DENSE_NAMES = [
  'bias',
  'length',
  'code',
  'digits',
  'mathematics',
  'other_script',
  'lines',
  'capitals',
  'choices',
  'question',
  'word_length',
  'instruction_first',
  'tools',
  'turn',
] as const;

const DENSE = DENSE_NAMES.length;
/** Buckets of hashed words: the rest of a vector of 64. */
export const HASHED = 50;
export const FEATURES = DENSE + HASHED;

/** Characters read: of a longer text the beginning and the end, where it says what it wants. */
const HEAD = 1024;
const TAIL = 512;

export interface CallFacts {
  readonly tools?: boolean;
  /** Turns of the conversation before this one. */
  readonly turn?: number;
}

interface Counts {
  letters: number;
  digits: number;
  capitals: number;
  code: number;
  mathematics: number;
  other: number;
  lines: number;
  choices: number;
  questions: number;
  words: number;
  read: number;
}

/** Fills `out` (of FEATURES) and returns it. Dense columns are 0 to 1, the hashed have length 1. */
export function promptFeatures(
  text: string,
  facts: CallFacts = {},
  out: Float64Array = new Float64Array(FEATURES),
): Float64Array {
  out.fill(0);
  const counts: Counts = {
    letters: 0,
    digits: 0,
    capitals: 0,
    code: 0,
    mathematics: 0,
    other: 0,
    lines: 0,
    choices: 0,
    questions: 0,
    words: 0,
    read: 0,
  };
  const whole = text.length <= HEAD + TAIL;
  readSpan(text, 0, whole ? text.length : HEAD, counts, out);
  if (!whole) readSpan(text, text.length - TAIL, text.length, counts, out);
  normalise(out);
  const read = Math.max(1, counts.read);
  const share = (count: number, full: number): number => Math.min(1, count / (read * full));
  out[0] = 1;
  out[1] = Math.min(1, Math.log1p(text.length) / 10);
  out[2] = share(counts.code, 0.08);
  out[3] = share(counts.digits, 0.15);
  out[4] = share(counts.mathematics, 0.06);
  out[5] = share(counts.other, 0.5);
  out[6] = share(counts.lines, 0.05);
  out[7] = share(counts.capitals, 0.2);
  out[8] = Math.min(1, counts.choices / 4);
  out[9] = Math.min(1, counts.questions / 2);
  out[10] = counts.words === 0 ? 0 : Math.min(1, counts.letters / counts.words / 8);
  out[11] = text.endsWith('?') ? 0 : 1;
  out[12] = facts.tools === true ? 1 : 0;
  out[13] = Math.min(1, Math.log1p(facts.turn ?? 0) / 4);
  return out;
}

const LETTER = 1;
const CAPITAL = 2;
const DIGIT = 3;
const CODE = 4;
const MATHEMATICS = 5;
const LINE = 6;
const QUESTION = 7;
/** What a character code up to 127 counts as. */
const KINDS = kindsOf();

function kindsOf(): Uint8Array {
  const kinds = new Uint8Array(128);
  const set = (chars: string, kind: number): void => {
    for (const char of chars) kinds[char.charCodeAt(0)] = kind;
  };
  set('abcdefghijklmnopqrstuvwxyz', LETTER);
  set('ABCDEFGHIJKLMNOPQRSTUVWXYZ', CAPITAL);
  set('0123456789', DIGIT);
  set('{}[];_<>#`=|&', CODE);
  set('\\$^+*/%', MATHEMATICS);
  set('\n', LINE);
  set('?', QUESTION);
  return kinds;
}

/** The word that is being read. */
interface Reading {
  word: number;
  length: number;
  last: number;
}

function readSpan(text: string, from: number, to: number, counts: Counts, out: Float64Array): void {
  const reading: Reading = { word: 0, length: 0, last: 0 };
  for (let at = from; at <= to; at += 1) {
    const code = at < to ? text.charCodeAt(at) : 32;
    const kind = code < 128 ? (KINDS[code] as number) : LETTER;
    if (kind === LETTER || kind === CAPITAL) readLetter(reading, code, kind, counts);
    else {
      if (reading.length > 0) endWord(reading, text, at, counts, out);
      if (kind !== 0) count(kind, counts);
    }
  }
  counts.read += to - from;
}

function readLetter(reading: Reading, code: number, kind: number, counts: Counts): void {
  const word = Math.imul(reading.word ^ (kind === CAPITAL ? code | 32 : code), 0x9e3779b1);
  reading.word = word ^ (word >>> 15);
  reading.length += 1;
  counts.letters += 1;
  if (kind === CAPITAL) counts.capitals += 1;
  else if (code >= 128) counts.other += 1;
}

function endWord(
  reading: Reading,
  text: string,
  at: number,
  counts: Counts,
  out: Float64Array,
): void {
  if (reading.length === 1 && isChoice(text, at)) counts.choices += 1;
  addWord(reading.word, reading.last, out);
  counts.words += 1;
  reading.last = reading.word;
  reading.word = 0;
  reading.length = 0;
}

/** A letter alone between a line's start, a space or a bracket and “.”, “)” or “:”. */
function isChoice(text: string, at: number): boolean {
  const after = text.charCodeAt(at);
  if (after !== 46 && after !== 41 && after !== 58) return false;
  const before = at >= 2 ? text.charCodeAt(at - 2) : 10;
  return before === 10 || before === 40 || before === 32;
}

function count(kind: number, counts: Counts): void {
  if (kind === DIGIT) counts.digits += 1;
  else if (kind === CODE) counts.code += 1;
  else if (kind === MATHEMATICS) counts.mathematics += 1;
  else if (kind === LINE) counts.lines += 1;
  else counts.questions += 1;
}

function addWord(word: number, last: number, out: Float64Array): void {
  bump(word, 1, out);
  bump(Math.imul(word, 31) ^ Math.imul(last, 0x85ebca6b), 0.5, out);
}

/** A signed bucket (Weinberger et al. 2009): collisions cancel on average. */
function bump(hash: number, weight: number, out: Float64Array): void {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35);
  const spread = mixed ^ (mixed >>> 13);
  const at = DENSE + ((spread >>> 1) % HASHED);
  out[at] = (out[at] as number) + ((spread & 1) === 0 ? weight : -weight);
}

/** Square roots of counts, so that what is repeated does not drown the rest; then length 1. */
function normalise(out: Float64Array): void {
  let square = 0;
  for (let at = DENSE; at < FEATURES; at += 1) {
    const value = out[at] as number;
    const root = value < 0 ? -Math.sqrt(-value) : Math.sqrt(value);
    out[at] = root;
    square += root * root;
  }
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  for (let at = DENSE; at < FEATURES; at += 1) out[at] = (out[at] as number) * scale;
}
