/**
 * Texts as they are compared: what only looks different is made the same. Case, accents, width,
 * invisible characters and letters of another script that look like Latin ones all go.
 */

/** Letters that look like a Latin one (Unicode TR39, those of Cyrillic, Greek, Armenian, IPA). */
const LOOKALIKES: Readonly<Record<string, string>> = {
  а: 'a',
  ɑ: 'a',
  α: 'a',
  в: 'b',
  β: 'b',
  ь: 'b',
  с: 'c',
  ϲ: 'c',
  ԁ: 'd',
  е: 'e',
  є: 'e',
  ε: 'e',
  ɡ: 'g',
  һ: 'h',
  н: 'h',
  հ: 'h',
  і: 'i',
  ı: 'i',
  ι: 'i',
  ɩ: 'i',
  ј: 'j',
  к: 'k',
  κ: 'k',
  ӏ: 'l',
  ⅼ: 'l',
  м: 'm',
  п: 'n',
  η: 'n',
  ո: 'n',
  о: 'o',
  ο: 'o',
  օ: 'o',
  σ: 'o',
  р: 'p',
  ρ: 'p',
  ԛ: 'q',
  г: 'r',
  ѕ: 's',
  т: 't',
  τ: 't',
  υ: 'u',
  ս: 'u',
  ν: 'v',
  ѵ: 'v',
  ԝ: 'w',
  ω: 'w',
  х: 'x',
  χ: 'x',
  у: 'y',
  γ: 'y',
  ʏ: 'y',
  ᴀ: 'a',
  ʙ: 'b',
  ᴄ: 'c',
  ᴅ: 'd',
  ᴇ: 'e',
  ɢ: 'g',
  ʜ: 'h',
  ɪ: 'i',
  ᴊ: 'j',
  ᴋ: 'k',
  ʟ: 'l',
  ᴍ: 'm',
  ɴ: 'n',
  ᴏ: 'o',
  ᴘ: 'p',
  ʀ: 'r',
  ꜱ: 's',
  ᴛ: 't',
  ᴜ: 'u',
  ᴠ: 'v',
  ᴡ: 'w',
  ᴢ: 'z',
  ø: 'o',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ł: 'l',
  đ: 'd',
};

/** Digits and signs that stand for letters. */
const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'i',
  '+': 't',
};

/** Lower case, without marks, invisible characters and look-alikes. Blanks and signs stay. */
export function foldText(text: string): string {
  const bare = text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replaceAll(/[\p{M}\p{Cf}\p{Cc}\p{Co}\p{Cn}]/gu, (one) => (/\s/.test(one) ? ' ' : ''));
  return bare.replaceAll(/[^ -~]/gu, (one) => LOOKALIKES[one] ?? one);
}

/** Letters and digits only: what is left when blanks and signs between letters are taken out. */
export function squeezed(folded: string): string {
  return folded.replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

/** Words of a folded text. */
export function wordsIn(folded: string): readonly string[] {
  return folded.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Digits and signs read as the letters that they stand for. */
export function unleeted(folded: string): string {
  return folded.replaceAll(/[0134578@$!|+]/g, (one) => LEET[one] ?? one);
}

/** a ↔ z, b ↔ y, … */
export function mirrored(folded: string): string {
  return folded.replaceAll(/[a-z]/g, (letter) => String.fromCharCode(219 - letter.charCodeAt(0)));
}

/**
 * The steps from each letter to the next, one character each: the same whichever number of places
 * all letters were moved on by (rot13, Caesar), so one comparison does for all of them.
 */
export function stepsOf(letters: string): string {
  let steps = '';
  for (let at = 1; at < letters.length; at += 1) {
    const [from, to] = [letters.charCodeAt(at - 1), letters.charCodeAt(at)];
    const isStep = isLatin(from) && isLatin(to);
    steps += isStep ? String.fromCharCode(FIRST_STEP + ((to - from + 26) % 26)) : letters[at];
  }
  return steps;
}

/** Where no letter of a text is: private use. */
const FIRST_STEP = 0xe000;

function isLatin(code: number): boolean {
  return code >= 97 && code <= 122;
}
