/**
 * A text as hashed words, found in one pass over a bounded piece of it: no substring is made and no
 * regular expression runs, so the time is bounded by the window whatever the text is. What is in
 * code fences and between back ticks is passed over. Chinese and Japanese are written without
 * spaces: there each character is a word, and a phrase is a sequence of them.
 */
export interface Words {
  /**
   * FNV-1a of each word in lower case, without apostrophes: `don’t` is `dont`. `count` of them.
   */
  readonly hashes: readonly number[];
  readonly count: number;
  /** Letters by script, in the order of `SCRIPTS`. */
  readonly letters: readonly number[];
  /** Signs that are frequent in code and rare in prose. */
  readonly signs: number;
  /** Where the tail's words begin, or `count` where the text was read as one piece. */
  readonly tail_from: number;
}

export const SCRIPTS = [
  'latin',
  'greek',
  'cyrillic',
  'hebrew',
  'arabic',
  'devanagari',
  'thai',
  'kana',
  'han',
  'hangul',
  'other',
] as const;
export type Script = (typeof SCRIPTS)[number];

const LATIN = 0;
const KANA = 7;
const HAN = 8;
const OTHER = 10;
const SEPARATOR = -1;
const APOSTROPHE = -2;
const SIGN = -3;

const FNV_BASIS = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;
const TICK = 0x60;

/** Words kept of one text, at most. */
export const WORDS_MAX = 192;

/**
 * Holds nothing: what is read into it is copied, and a list that grows word by word would be copied
 * several times. One place more, for the word that is open.
 */
const HASHES: number[] = Array.from({ length: WORDS_MAX + 1 }, () => 0);

export const NO_WORDS: Words = {
  hashes: [],
  count: 0,
  letters: SCRIPTS.map(() => 0),
  signs: 0,
  tail_from: 0,
};

/** Whether most letters are of a script in which each character is a word here. */
export function isUnspaced({ letters, count }: Words): boolean {
  return ((letters[KANA] as number) + (letters[HAN] as number)) * 2 > count;
}

/** The words of a text's first `chars` UTF-16 units, and of its last where it is longer. */
export function wordsOf(text: string, chars: number): Words {
  const { length } = text;
  const reader = new WordReader();
  const copied = copy(text);
  if (length <= chars * 2) {
    reader.read(text, 0, length, copied);
    return reader.words(reader.count);
  }
  reader.read(text, 0, chars, copied);
  const { count } = reader;
  reader.read(text, length - chars, length, copied);
  return reader.words(count);
}

export function hashOfWord(word: string): number {
  const { hashes, count } = wordsOf(word, 100);
  if (count !== 1) throw new TypeError(`${word} is ${count} words`);
  return hashes[0] as number;
}

/** The hash of one word in lower case, its apostrophes passed over. */
export function hashOfLetters(word: string): number {
  let hash = FNV_BASIS;
  for (let at = 0; at < word.length; at += 1) {
    const code = word.charCodeAt(at);
    if (KINDS[code] !== APOSTROPHE) hash = Math.imul(hash ^ code, FNV_PRIME);
  }
  return hash;
}

/** Units of a text that is read from a copy. */
const COPIED_MAX = 2048;
/**
 * Holds nothing: it is written and read at once, and made once because it is large. There is room
 * for a character more, so that one that is not ASCII always shows in the number of bytes.
 */
const COPY = Buffer.alloc(COPIED_MAX + 4);

/**
 * Copies a text that is ASCII; else false. Units read one by one out of a string cost several
 * times as much as a copy of them: V8 has a dozen kinds of strings, and all of them come here.
 */
function copy(text: string): boolean {
  return text.length <= COPIED_MAX && COPY.write(text) === text.length;
}

class WordReader {
  // A plain array: a typed one costs more to make than all that is read into it.
  readonly #letters = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  count = 0;
  #signs = 0;

  words(tail_from: number): Words {
    const { count } = this;
    const letters = this.#letters;
    return { hashes: HASHES.slice(0, count), count, letters, signs: this.#signs, tail_from };
  }

  /** A piece of a text, which may have been copied whole. */
  read(text: string, from: number, to: number, copied: boolean): void {
    if (copied && this.#readPlain(from, to)) return;
    const piece = text.slice(from, to);
    // Of a text that was no ASCII as a whole, a part may be.
    const untried = !copied && piece.length < text.length;
    if (untried && copy(piece) && this.#readPlain(0, piece.length)) return;
    this.#readAny(piece.toLowerCase());
  }

  /**
   * What was copied, where there is no code in it, as in most texts; else false, and nothing was
   * read. Where a word ends nobody can guess, and a branch that is guessed wrongly costs more than
   * ten letters: so none is taken between letters and what parts them. `letter` is all ones for a
   * letter, else 0.
   */
  #readPlain(from: number, to: number): boolean {
    let count = this.count;
    let hash = FNV_BASIS;
    let open = 0;
    let signs = 0;
    let latin = 0;
    for (let at = from; at < to && count < WORDS_MAX; at += 1) {
      let lower = PLAIN[COPY[at] as number] as number;
      if (lower < 0) {
        if (lower === APOSTROPHE) continue;
        if (lower !== SIGN) return false;
        signs += 1;
        lower = 0;
      }
      const letter = -lower >> 31;
      HASHES[count] = hash;
      count += open & ~letter;
      hash = (Math.imul(hash ^ lower, FNV_PRIME) & letter) | (FNV_BASIS & ~letter);
      open = letter & 1;
      latin += open;
    }
    HASHES[count] = hash;
    this.count = count + (count < WORDS_MAX ? open : 0);
    this.#letters[LATIN] = (this.#letters[LATIN] as number) + latin;
    this.#signs += signs;
    return true;
  }

  #readAny(text: string): void {
    const letters = this.#letters;
    let count = this.count;
    let hash = FNV_BASIS;
    let open = false;
    let signs = 0;
    // Nearly all letters are of one script: a count in a register, not one in a list.
    let latin = 0;
    for (let at = 0; at < text.length && count < WORDS_MAX; at += 1) {
      const code = text.charCodeAt(at);
      const script = KINDS[code] as number;
      if (script === LATIN) {
        latin += 1;
        hash = Math.imul(hash ^ code, FNV_PRIME);
        open = true;
        continue;
      }
      if (script > LATIN && script !== KANA && script !== HAN) {
        letters[script] = (letters[script] as number) + 1;
        hash = Math.imul(hash ^ code, FNV_PRIME);
        open = true;
        continue;
      }
      if (script === APOSTROPHE) continue;
      if (open) {
        HASHES[count] = hash;
        count += 1;
        hash = FNV_BASIS;
        open = false;
      }
      if (code === TICK) at = endOfCode(text, at);
      else if (script === SIGN) signs += 1;
      else if (script !== SEPARATOR && count < WORDS_MAX) {
        letters[script] = (letters[script] as number) + 1;
        HASHES[count] = Math.imul(FNV_BASIS ^ code, FNV_PRIME);
        count += 1;
      }
    }
    if (open && count < WORDS_MAX) {
      HASHES[count] = hash;
      count += 1;
    }
    letters[LATIN] = (letters[LATIN] as number) + latin;
    this.count = count;
    this.#signs += signs;
  }
}

/** Ranges of letters above ASCII, ends included, and the script of each; later ones overrule. */
const RANGES: readonly (readonly [from: number, to: number, script: number])[] = [
  [0xaa, 0xaa, LATIN],
  [0xb5, 0xb5, LATIN],
  [0xba, 0xba, LATIN],
  [0xc0, 0x36f, LATIN],
  [0x370, 0x3ff, 1],
  [0x400, 0x52f, 2],
  [0x530, 0x58f, OTHER],
  [0x590, 0x5ff, 3],
  [0x600, 0x77f, 4],
  [0x780, 0x8ff, OTHER],
  [0x900, 0x97f, 5],
  [0x980, 0xdff, OTHER],
  [0xe00, 0xe7f, 6],
  [0xe80, 0x1dff, OTHER],
  [0x1e00, 0x1eff, LATIN],
  [0x1f00, 0x1fff, 1],
  [0x3040, 0x30ff, KANA],
  [0x3400, 0x9fff, HAN],
  [0xac00, 0xd7af, 9],
  [0xf900, 0xfaff, HAN],
];

/** Marks among them: commas, stops and question marks of their scripts, and `×`, `÷`. */
const MARKS = [0xd7, 0xf7, 0x37e, 0x387, 0x5be, 0x60c, 0x61b, 0x61f, 0x6d4, 0x964, 0x965, 0x30fb];
/** The dot is what lower case makes of a Turkish İ, beside its i. */
const APOSTROPHES = [0x27, 0x2bc, 0x2019, 0x307];

/** What each UTF-16 unit is: a letter of a script, or one of the constants below 0. */
const KINDS: Readonly<Int8Array> = kindsOfUnits();

function kindsOfUnits(): Int8Array {
  const kinds = new Int8Array(0x10000).fill(SEPARATOR);
  for (let code = 0; code < 0x80; code += 1) {
    const char = String.fromCharCode(code);
    if (/[0-9a-z]/.test(char)) kinds[code] = LATIN;
    else if ('{}[]()=<>;_$|\\#/'.includes(char)) kinds[code] = SIGN;
  }
  for (const [from, to, script] of RANGES) kinds.fill(script, from, to + 1);
  for (const code of MARKS) kinds[code] = SEPARATOR;
  for (const code of APOSTROPHES) kinds[code] = APOSTROPHE;
  return kinds;
}

const CODE = -4;

/** Of ASCII: a letter's lower case, 0 for what parts words, `APOSTROPHE`, `SIGN`, or `CODE`. */
const PLAIN: Readonly<Int8Array> = Int8Array.from({ length: 0x80 }, (_, code) => {
  if (code === TICK) return CODE;
  const lower = String.fromCharCode(code).toLowerCase().charCodeAt(0);
  const kind = KINDS[lower] as number;
  return kind === LATIN ? lower : kind === SEPARATOR ? 0 : kind;
});

/** The last index of the code that begins here; a single back tick without a partner is a mark. */
function endOfCode(text: string, at: number): number {
  const fence = text.startsWith('```', at);
  const close = text.indexOf(fence ? '```' : '`', at + (fence ? 3 : 1));
  if (close === -1) return fence ? text.length : at;
  return fence ? close + 2 : close;
}
