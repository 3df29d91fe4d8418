/**
 * What a call looks like, in one pass over its text, without a model: the context of contextual
 * routing. The first DENSE columns are stated below, the others are hashed words and word pairs.
 * A change of what a column means is a change of FEATURES_ID: models of another are not used.
 */
export const FEATURES_ID = 'text-64.2';

export const DENSE_NAMES = [
  'bias',
  'length',
  'request_size',
  'code',
  'digits',
  'mathematics',
  'accents',
  'other_script',
  'lines',
  'capitals',
  'choices',
  'question',
  'asks_how_or_why',
  'asks_for_a_fact',
  'asks_to_make',
  'asks_to_rework',
  'word_length',
  'instruction_first',
  'tools',
  'turn',
] as const;

const DENSE = DENSE_NAMES.length;
/** Buckets of hashed words: the rest of a vector of 64. */
export const HASHED = 44;
export const FEATURES = DENSE + HASHED;
/** Of every column, for people: dense ones by their names, `words 1` to `words 44` the others. */
export const FEATURE_NAMES: readonly string[] = [
  ...DENSE_NAMES,
  ...Array.from({ length: HASHED }, (_, at) => `words ${at + 1}`),
];

/** Characters read: of a longer text the beginning and the end, where it says what it wants. */
export interface ReadSpan {
  readonly head: number;
  readonly tail: number;
}

const WHOLE_SPAN: ReadSpan = { head: 1024, tail: 512 };

export interface CallFacts {
  readonly tools?: boolean;
  /** Turns of the conversation before this one. */
  readonly turn?: number;
  /** Bytes of the whole request; the text's characters where it is left out. */
  readonly bytes?: number;
}

const DIGIT = 1;
const CODE = 2;
const MATHEMATICS = 3;
const LINE = 4;
const QUESTION = 5;
const STOP = 6;
/** From here on it is part of a word. */
const LETTER = 7;
const CAPITAL = 8;
const ACCENT = 9;
const OTHER = 10;
const KINDS = kindsOf();

/** What a character code up to 127 counts as. */
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
  set('.!:', STOP);
  return kinds;
}

/** Latin letters beyond ASCII, and all other scripts; signs of theirs count as letters too. */
function kindOf(code: number): number {
  if (code < 128) return KINDS[code] as number;
  return code < 0x250 ? ACCENT : OTHER;
}

/** Of a letter; beyond ASCII as it is. */
const inLowerCase = (code: number): number => (code < 128 ? code | 32 : code);
/** From here on scripts write without spaces (CJK), so that each character is a word. */
const IDEOGRAPHS = 0x2e80;

/** What the first words of a text and of its last sentence ask for. */
const ASKS: readonly (readonly [column: (typeof DENSE_NAMES)[number], words: string])[] = [
  ['asks_how_or_why', 'how why explain describe prove solve calculate compute wie warum comment'],
  [
    'asks_for_a_fact',
    'what who when where which whose is are was does do can wer was wann qui que',
  ],
  ['asks_to_make', 'write create generate implement build make draft give list schreibe écris'],
  [
    'asks_to_rework',
    'translate summarize fix rewrite edit refactor correct convert improve shorten',
  ],
];
const ASKING = askingOf();

/** The column that a first word counts in, by the word's hash. */
function askingOf(): ReadonlyMap<number, number> {
  const columns = ASKS.flatMap(([column, words]) =>
    words.split(' ').map((word) => {
      let hash = 0;
      for (let at = 0; at < word.length; at += 1) hash = hashed(hash, word.charCodeAt(at));
      return [hash, DENSE_NAMES.indexOf(column)] as const;
    }),
  );
  return new Map(columns);
}

function hashed(word: number, code: number): number {
  return Math.imul(word ^ code, 0x9e3779b1) ^ (word >>> 15);
}

/** What was counted: by kind of character, and of words. */
interface Counts {
  readonly kinds: Int32Array;
  words: number;
  choices: number;
  read: number;
  /** Hashes of the first word of all, and of the last sentence. */
  first: number;
  sentence: number;
  /** The word before, and whether the next one begins a sentence. */
  last: number;
  begins: boolean;
}

/** Fills `out` (of FEATURES) and returns it. Dense columns are 0 to 1, the hashed have length 1. */
export function promptFeatures(
  text: string,
  facts: CallFacts = {},
  out: Float64Array = new Float64Array(FEATURES),
  { head, tail }: ReadSpan = WHOLE_SPAN,
): Float64Array {
  out.fill(0);
  const kinds = new Int32Array(OTHER + 1);
  const counts: Counts = {
    kinds,
    words: 0,
    choices: 0,
    read: 0,
    first: 0,
    sentence: 0,
    last: 0,
    begins: true,
  };
  const whole = text.length <= head + tail;
  readSpan(text, 0, whole ? text.length : head, counts, out);
  if (!whole) readSpan(text, text.length - tail, text.length, counts, out);
  normalise(out);
  fillDense(text, facts, counts, out);
  return out;
}

function fillDense(text: string, facts: CallFacts, counts: Counts, out: Float64Array): void {
  const { kinds, words, choices, first, sentence } = counts;
  const read = Math.max(1, counts.read);
  const share = (kind: number, full: number): number =>
    Math.min(1, (kinds[kind] as number) / (read * full));
  const letters = sumFrom(kinds, LETTER);
  out[0] = 1;
  out[1] = Math.min(1, Math.log1p(text.length) / 10);
  out[2] = Math.min(1, Math.log1p(facts.bytes ?? text.length) / 14);
  out[3] = share(CODE, 0.08);
  out[4] = share(DIGIT, 0.15);
  out[5] = share(MATHEMATICS, 0.06);
  out[6] = share(ACCENT, 0.06);
  out[7] = share(OTHER, 0.5);
  out[8] = share(LINE, 0.05);
  out[9] = share(CAPITAL, 0.2);
  out[10] = Math.min(1, choices / 4);
  out[11] = Math.min(1, (kinds[QUESTION] as number) / 2);
  for (const word of [first, sentence]) {
    const column = ASKING.get(word);
    if (column !== undefined) out[column] = 1;
  }
  out[16] = words === 0 ? 0 : Math.min(1, letters / words / 8);
  out[17] = text.endsWith('?') ? 0 : 1;
  out[18] = facts.tools === true ? 1 : 0;
  out[19] = Math.min(1, Math.log1p(facts.turn ?? 0) / 4);
}

function sumFrom(counts: Int32Array, from: number): number {
  let sum = 0;
  for (let at = from; at < counts.length; at += 1) sum += counts[at] as number;
  return sum;
}

/** One pass, in local variables: this is what a contextual choice costs most. */
function readSpan(text: string, from: number, to: number, counts: Counts, out: Float64Array): void {
  const { kinds } = counts;
  let word = 0;
  let length = 0;
  counts.last = 0;
  counts.begins = true;
  for (let at = from; at <= to; at += 1) {
    const code = at < to ? text.charCodeAt(at) : 32;
    const kind = kindOf(code);
    kinds[kind] = (kinds[kind] as number) + 1;
    if (kind >= LETTER) {
      word = hashed(word, inLowerCase(code));
      length += 1;
      if (code < IDEOGRAPHS) continue;
    }
    if (length > 0) {
      if (length === 1 && isChoice(text, at)) counts.choices += 1;
      endWord(word, counts, out);
      word = 0;
      length = 0;
    }
    if (kind >= LINE && kind <= STOP) counts.begins = true;
  }
  counts.read += to - from;
}

function endWord(word: number, counts: Counts, out: Float64Array): void {
  if (counts.begins) counts.sentence = word;
  if (counts.words === 0) counts.first = word;
  counts.begins = false;
  counts.words += 1;
  bump(word, 1, out);
  bump(Math.imul(word, 31) ^ Math.imul(counts.last, 0x85ebca6b), 0.5, out);
  counts.last = word;
}

/** A letter alone between a line's start, a space or a bracket and “.”, “)” or “:”. */
function isChoice(text: string, at: number): boolean {
  const after = text.charCodeAt(at);
  if (after !== 46 && after !== 41 && after !== 58) return false;
  const before = at >= 2 ? text.charCodeAt(at - 2) : 10;
  return before === 10 || before === 40 || before === 32;
}

/** A signed bucket (Weinberger et al. 2009): collisions cancel on average. */
function bump(hash: number, weight: number, out: Float64Array): void {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35);
  const spread = mixed ^ (mixed >>> 13);
  const at = DENSE + (((spread >>> 16) * HASHED) >>> 16);
  // Without a branch: a sign that is chance cannot be predicted.
  out[at] = (out[at] as number) + (1 - ((spread & 1) << 1)) * weight;
}

/** Square roots of counts, so that what is repeated does not drown the rest; then length 1. */
function normalise(out: Float64Array): void {
  let square = 0;
  for (let at = DENSE; at < FEATURES; at += 1) {
    const value = out[at] as number;
    square += Math.abs(value);
    out[at] = value < 0 ? -Math.sqrt(-value) : Math.sqrt(value);
  }
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  for (let at = DENSE; at < FEATURES; at += 1) out[at] = (out[at] as number) * scale;
}
