import { STOP_WORDS } from './lists/stop-words.ts';
import { hashOfWord, SCRIPTS, type Script, type Words } from './words.ts';

const LANGUAGES: readonly string[] = Object.keys(STOP_WORDS);

/**
 * A stop word's languages as bits, in the order of `LANGUAGES`: pairs of a hash and its bits, open
 * addressing, since every word of a text is looked up. Bits of 0 mean an empty place.
 */
const TABLE_SIZE = 2048;
const TABLE: Readonly<Int32Array> = tableOf(bitsByWord());

function tableOf(bits: ReadonlyMap<number, number>): Int32Array {
  if (bits.size * 2 > TABLE_SIZE) throw new RangeError('too many stop words for the table');
  const table = new Int32Array(TABLE_SIZE * 2);
  for (const [hash, value] of bits) {
    let at = placeOf(hash);
    while (table[at + 1] !== 0) at = (at + 2) & (TABLE_SIZE * 2 - 1);
    table[at] = hash;
    table[at + 1] = value;
  }
  return table;
}

function placeOf(hash: number): number {
  return ((hash ^ (hash >>> 15)) & (TABLE_SIZE - 1)) * 2;
}

/** A word's languages as bits; 0 where it is no stop word. */
function languagesOfWord(hash: number): number {
  let at = placeOf(hash);
  while (TABLE[at + 1] !== 0) {
    if (TABLE[at] === hash) return TABLE[at + 1] as number;
    at = (at + 2) & (TABLE_SIZE * 2 - 1);
  }
  return 0;
}

function bitsByWord(): Map<number, number> {
  const bits = new Map<number, number>();
  for (const [index, list] of Object.values(STOP_WORDS).entries()) {
    for (const word of list.split(/\s+/)) {
      const hash = hashOfWord(word);
      bits.set(hash, (bits.get(hash) ?? 0) | (1 << index));
    }
  }
  return bits;
}

export function isStopWord(hash: number): boolean {
  return languagesOfWord(hash) !== 0;
}

/** Scripts that stand for a language here; the languages that share one are not told apart. */
const LANGUAGE_OF_SCRIPT: Readonly<Partial<Record<Script, string>>> = {
  greek: 'el',
  hebrew: 'he',
  arabic: 'ar',
  devanagari: 'hi',
  thai: 'th',
  hangul: 'ko',
};

/** Letters below which a text is too short to tell, and the share that the script must have. */
const LETTERS_MIN = 12;
/** Letters that a character of Chinese or Japanese stands for. */
const UNSPACED_WEIGHT = 3;
const SCRIPT_SHARE_MIN = 0.7;
/** Of Latin and Cyrillic: stop words that must be seen, as a number and as a share of all words. */
const HITS_MIN = 3;
const HITS_SHARE_MIN = 0.2;
/** By how much the best language must lead the second. */
const LEAD_MIN = 1.6;
const KANA_SHARE_MIN = 0.1;
/** Signs of code a letter, above which a text is none in any language. */
const SIGNS_SHARE_MAX = 0.06;

/** The language of a text, or null where it is too short, mixed, or none that the rules know. */
export function languageOf(words: Words): string | null {
  const { letters } = words;
  let total = 0;
  for (const count of letters) total += count;
  total += ((letters[7] as number) + (letters[8] as number)) * (UNSPACED_WEIGHT - 1);
  if (total < LETTERS_MIN || words.signs > total * SIGNS_SHARE_MAX) return null;
  const kana = letters[7] as number;
  const han = letters[8] as number;
  if (((kana + han) * UNSPACED_WEIGHT) / total >= SCRIPT_SHARE_MIN) {
    if (kana === 0) return 'zh';
    return kana / (kana + han) >= KANA_SHARE_MIN ? 'ja' : null;
  }
  for (let script = 0; script < SCRIPTS.length; script += 1) {
    if ((letters[script] as number) / total < SCRIPT_SHARE_MIN) continue;
    const name = SCRIPTS[script] as Script;
    const spoken = name === 'latin' || name === 'cyrillic';
    return spoken ? byStopWords(words) : (LANGUAGE_OF_SCRIPT[name] ?? null);
  }
  return null;
}

function byStopWords({ hashes, count }: Words): string | null {
  const hits = new Int32Array(LANGUAGES.length);
  for (let at = 0; at < count; at += 1) {
    let bits = languagesOfWord(hashes[at] as number);
    while (bits !== 0) {
      const index = 31 - Math.clz32(bits);
      hits[index] = (hits[index] as number) + 1;
      bits ^= 1 << index;
    }
  }
  let best = 0;
  let second = 0;
  let language = -1;
  for (let index = 0; index < hits.length; index += 1) {
    const seen = hits[index] as number;
    if (seen > best) {
      second = best;
      best = seen;
      language = index;
    } else if (seen > second) second = seen;
  }
  if (best < HITS_MIN || best / count < HITS_SHARE_MIN || best < second * LEAD_MIN) return null;
  return LANGUAGES[language] as string;
}
