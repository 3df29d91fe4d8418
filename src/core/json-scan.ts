import { GatewayError } from './errors.ts';

/** Finding one's way in the bytes of JSON without parsing it: offsets in, offsets out. */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const BRACE_OPEN = 0x7b;
export const BRACE_CLOSE = 0x7d;
export const BRACKET_OPEN = 0x5b;
export const BRACKET_CLOSE = 0x5d;

export function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  let byte = bytes[at];
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
    at += 1;
    byte = bytes[at];
  }
  return at;
}

/** A string that was plain for so long probably goes on: a native search pays then. */
const PLAIN_BYTES = 128;

/** Behind the closing quote. */
export function stringEnd(bytes: Buffer, from: number): number {
  expect(bytes, from, QUOTE);
  let at = from + 1;
  let plain = 0;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    plain = byte === BACKSLASH ? 0 : plain + 1;
    at += byte === BACKSLASH ? 2 : 1;
    if (plain < PLAIN_BYTES) continue;
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1) break;
    at = isEscaped(bytes, quote, at) ? quote + 1 : quote;
    plain = 0;
  }
  throw broken(from);
}

/** Whether an odd number of backslashes stands before `at`, none of them before `from`. */
function isEscaped(bytes: Buffer, at: number, from: number): boolean {
  let first = at;
  while (first > from && bytes[first - 1] === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

export function valueEnd(bytes: Buffer, from: number): number {
  const first = bytes[from];
  if (first === QUOTE) return stringEnd(bytes, from);
  if (first === BRACE_OPEN || first === BRACKET_OPEN) return containerEnd(bytes, from);
  let at = from;
  while (at < bytes.length && isScalarByte(bytes[at] as number)) at += 1;
  if (at === from) throw broken(from);
  return at;
}

/** Bytes of numbers, true, false and null. */
function isScalarByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) || // digits
    (byte >= 0x61 && byte <= 0x7a) || // a to z
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x45 // + - . E
  );
}

function containerEnd(bytes: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = stringEnd(bytes, at) - 1;
    else if (byte === BRACE_OPEN || byte === BRACKET_OPEN) depth += 1;
    else if (byte === BRACE_CLOSE || byte === BRACKET_CLOSE) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw broken(from);
}

export function expect(bytes: Buffer, at: number, byte: number): void {
  if (bytes[at] !== byte) throw broken(at);
}

export function broken(at: number, cause?: unknown): GatewayError {
  return new GatewayError(
    'invalid_json',
    `The body is not a JSON object (byte ${at}).`,
    { offset: at },
    cause,
  );
}

/** How deep values may stand in others, and how many objects, lists and members there may be. */
export interface ShapeLimits {
  readonly depth: number;
  readonly parts: number;
}

/**
 * Whether JSON is deeper than it may be or has too many parts, which is known long before all of it
 * is read; null where it is neither. Texts and numbers in lists are no parts: they cost a parser
 * little. What is no JSON has no shape: whoever parses it finds out.
 */
export function shapeProblem(bytes: Buffer, max: ShapeLimits): 'deep' | 'many' | null {
  let depth = 0;
  let parts = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfText(bytes, at) - 1;
    } else if (byte === BRACE_OPEN || byte === BRACKET_OPEN || byte === COLON) {
      parts += 1;
      if (byte !== COLON) depth += 1;
      if (depth > max.depth) return 'deep';
      if (parts > max.parts) return 'many';
    } else if (byte === BRACE_CLOSE || byte === BRACKET_CLOSE) {
      depth -= 1;
    }
  }
  return null;
}

/** Of a text that does not end, the end of all. */
function endOfText(bytes: Buffer, from: number): number {
  try {
    return stringEnd(bytes, from);
  } catch {
    return bytes.length;
  }
}
