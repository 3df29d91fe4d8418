/**
 * `{ use: openai, api_key: ${KEY} }` is no YAML: a brace may not stand in an unquoted text within a
 * flow map. It is how people write it all the same, so the braces of references, and commas
 * between them, are other characters while the parser reads: of the same length, or nothing would
 * stand where problems say.
 */
const REFERENCE = /\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^{}\r\n]*)?\}/g;
/** Of Unicode's private use, each in place of the character at its index. */
const MASKS = '\u{e200}\u{e201}\u{e202}\u{e203}\u{e204}';
const MASKED = '{},[]';

/** The text with its `${…}` masked; as it is where it has a mask of its own. */
export function maskReferences(text: string): string {
  if (!text.includes('${') || indexIn(MASKS, text) >= 0) return text;
  return text.replace(REFERENCE, (whole) => exchanged(whole, MASKED, MASKS));
}

export function unmaskReferences(text: string): string {
  return indexIn(MASKS, text) < 0 ? text : exchanged(text, MASKS, MASKED);
}

function exchanged(text: string, from: string, to: string): string {
  return Array.from(text, (char) => {
    const index = from.indexOf(char);
    return index < 0 ? char : (to[index] ?? char);
  }).join('');
}

/** Where the first of these characters stands in the text, or -1. */
function indexIn(chars: string, text: string): number {
  for (let at = 0; at < text.length; at += 1) if (chars.includes(text.charAt(at))) return at;
  return -1;
}
