/** Texts that a text holds in a simple encoding. */

const DEPTH_MAX = 2;
const TEXTS_MAX = 64;

/**
 * What the text's encoded parts say: base64, hex, percent, entities, escapes, binary, character
 * codes, Morse; also encoded twice. Without the text itself. Pure, and never throws.
 */
export function decodedTexts(text: string, depth = DEPTH_MAX): readonly string[] {
  const found = new Set<string>();
  for (const decode of DECODERS) {
    for (const decoded of decode(text)) {
      if (decoded.length >= 4 && decoded !== text && isText(decoded)) found.add(decoded);
      if (found.size >= TEXTS_MAX) break;
    }
  }
  const first = [...found];
  if (depth <= 1) return first;
  const deeper = first.flatMap((one) => decodedTexts(one, depth - 1));
  return [...new Set([...first, ...deeper])].slice(0, TEXTS_MAX);
}

type Decoder = (text: string) => readonly string[];

const DECODERS: readonly Decoder[] = [
  (text) => runsOf(text, /[A-Za-z0-9+/_-]{8,}={0,2}/g).map(fromBase64),
  // Wrapped or spaced base64: the blanks go first.
  (text) => runsOf(text.replaceAll(/\s+/g, ''), /[A-Za-z0-9+/_-]{16,}={0,2}/g).map(fromBase64),
  (text) => runsOf(text, /(?:[0-9a-fA-F]{2}[\s:,-]?){6,}/g).map(fromHex),
  (text) => (/(%[0-9a-fA-F]{2}){2}|%20/.test(text) ? [fromPercent(text)] : []),
  (text) => (/&(#\d+|#x[0-9a-f]+|lt|gt|amp|quot);/i.test(text) ? [fromEntities(text)] : []),
  (text) => (/\\(u\{?[0-9a-f]{2,6}|x[0-9a-f]{2})/i.test(text) ? [fromEscapes(text)] : []),
  (text) => runsOf(text, /(?:[01]{8}[\s,]*){4,}/g).map((run) => fromCodes(run, /[01]{8}/g, 2)),
  (text) => runsOf(text, /(?:\d{2,3}[\s,;]+){5,}\d{2,3}/g).map((run) => fromCodes(run, /\d+/g, 10)),
  (text) => runsOf(text, /(?:[.\-·−]{1,5}[\s/|]+){5,}[.\-·−]{1,5}/g).map(fromMorse),
];

function runsOf(text: string, pattern: RegExp): readonly string[] {
  return (text.match(pattern) ?? []).slice(0, TEXTS_MAX);
}

function fromBase64(run: string): string {
  return Buffer.from(run, 'base64').toString('utf8');
}

function fromHex(run: string): string {
  return Buffer.from(run.replaceAll(/[^0-9a-fA-F]/g, ''), 'hex').toString('utf8');
}

function fromPercent(text: string): string {
  return text.replaceAll(/(?:%[0-9a-fA-F]{2})+/g, (run) => fromHex(run));
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

function fromEntities(text: string): string {
  return text.replaceAll(
    /&(?:#(\d+)|#x([0-9a-f]+)|(lt|gt|amp|quot));/gi,
    (whole, dec, hex, name) => {
      if (typeof name === 'string') return ENTITIES[name.toLowerCase()] ?? whole;
      return character(dec ? Number(dec) : Number.parseInt(hex, 16));
    },
  );
}

function fromEscapes(text: string): string {
  return text.replaceAll(/\\(?:u\{?([0-9a-f]{2,6})\}?|x([0-9a-f]{2}))/gi, (_all, wide, narrow) =>
    character(Number.parseInt(wide ?? narrow, 16)),
  );
}

function fromCodes(run: string, each: RegExp, base: number): string {
  return (run.match(each) ?? []).map((code) => character(Number.parseInt(code, base))).join('');
}

function character(code: number): string {
  return Number.isInteger(code) && code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
}

const MORSE =
  '.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- ' +
  '.-- -..- -.-- --..';

function fromMorse(run: string): string {
  const letters = new Map(
    MORSE.split(' ').map((sign, index) => [sign, String.fromCharCode(97 + index)]),
  );
  const signs = run
    .replaceAll('·', '.')
    .replaceAll('−', '-')
    .split(/([\s/|]+)/);
  return signs.map((sign) => letters.get(sign) ?? (/[/|]|\s{2}/.test(sign) ? ' ' : '')).join('');
}

/** Most of it is letters, digits and blanks: not what random bytes decode to. */
function isText(decoded: string): boolean {
  const strange = decoded.match(/[^\p{L}\p{N}\p{P}\p{Zs}\n]|\ufffd/gu)?.length ?? 0;
  return strange <= decoded.length / 8;
}
