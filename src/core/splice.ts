import type { Json } from './canonical.ts';
import { GatewayError } from './errors.ts';

/**
 * Sets top-level fields of a JSON object in its bytes; null removes a field, a new one goes to the
 * end. All other members stay as the client wrote them, byte for byte: unknown fields, 64-bit
 * integers and odd escapes reach the upstream unharmed, and nothing is parsed but the keys.
 *
 * The result means what `{...JSON.parse(raw), ...patch}` means. A patched key that stands there
 * more than once is left once, because readers disagree on which of two wins.
 *
 * `raw` must be bytes that `JSON.parse` accepts as an object; where the scan finds otherwise it
 * throws `invalid_json`, and where it does not look (inside values) it stays silent.
 */
export function spliceBody(raw: Uint8Array, patch: { readonly [field: string]: Json }): Uint8Array {
  const fields = Object.entries(patch).filter(([, value]) => value !== undefined);
  if (fields.length === 0) return raw;
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const scan = scanMembers(bytes, fields);
  const edits = isPlain(scan.members, fields) ? plainEdits(scan, fields) : allEdits(scan, fields);
  return applyEdits(bytes, edits);
}

/** Nothing is removed and no patched key stands there twice: all but a few bodies. */
function isPlain(members: readonly Member[], fields: readonly Field[]): boolean {
  let seen = 0;
  for (const { field } of members) {
    if (field === null) continue;
    // Beyond the 31st field a bit would stand for two of them.
    if (field > 30 || (seen & (1 << field)) !== 0 || fields[field]?.[1] === null) return false;
    seen |= 1 << field;
  }
  return true;
}

function plainEdits({ members, open, close }: Scan, fields: readonly Field[]): readonly Edit[] {
  const edits: Edit[] = [];
  for (const { field, value: start, end } of members) {
    if (field !== null) edits.push({ start, end, text: JSON.stringify(fields[field]?.[1]) });
  }
  let text = '';
  for (const [index, [key, value]] of fields.entries()) {
    if (value === null || members.some(({ field }) => field === index)) continue;
    const comma = text === '' && members.length === 0 ? '' : ',';
    text += `${comma}${JSON.stringify(key)}:${JSON.stringify(value)}`;
  }
  const last = members.at(-1);
  if (!last) edits.push({ start: open + 1, end: close, text });
  else if (text !== '') edits.push({ start: last.end, end: last.end, text });
  return edits;
}

function allEdits(scan: Scan, fields: readonly Field[]): readonly Edit[] {
  const { members, open, close } = scan;
  const last = fields.map((_, field) => members.findLastIndex((member) => member.field === field));
  const removed = members.map(({ field }, index) => {
    return field !== null && (fields[field]?.[1] === null || last[field] !== index);
  });
  const edits: Edit[] = [];
  for (const [index, member] of members.entries()) {
    if (member.field === null || removed[index]) continue;
    const text = JSON.stringify(fields[member.field]?.[1]);
    edits.push({ start: member.value, end: member.end, text });
  }
  const added = fields.filter(([, value], field) => value !== null && last[field] === -1);
  if (removed.includes(true)) edits.push(...cuts(members, removed));
  edits.push(tailEdit(members, removed, added, { open, close }));
  return edits.sort((left, right) => left.start - right.start || left.end - right.end);
}

type Field = readonly [key: string, value: Json];

interface Member {
  /** Which of the patch's fields it is, by index; null for one that stays as it is. */
  readonly field: number | null;
  /** Offsets of the key's quote, of the value's first byte, and behind its last. */
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Removed members that have a kept one behind them: each goes with what parts it from the next. */
function cuts(members: readonly Member[], removed: readonly boolean[]): readonly Edit[] {
  const lastKept = removed.lastIndexOf(false);
  return members.slice(0, Math.max(0, lastKept)).flatMap((member, index) => {
    const next = members[index + 1];
    return removed[index] && next ? [{ start: member.start, end: next.start, text: '' }] : [];
  });
}

/**
 * From the last kept member to the last member: drops what was removed there, appends what is new.
 */
function tailEdit(
  members: readonly Member[],
  removed: readonly boolean[],
  added: readonly Field[],
  braces: { readonly open: number; readonly close: number },
): Edit {
  const text = added.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const kept = members[removed.lastIndexOf(false)];
  if (!kept) return { start: braces.open + 1, end: braces.close, text: text.join(',') };
  const end = members.at(-1)?.end ?? kept.end;
  return { start: kept.end, end, text: text.map((member) => `,${member}`).join('') };
}

/** Ascending edits, into one buffer of the right size. */
function applyEdits(bytes: Buffer, edits: readonly Edit[]): Uint8Array {
  let size = bytes.length;
  for (const { start, end, text } of edits) size += Buffer.byteLength(text) - (end - start);
  const spliced = Buffer.allocUnsafe(size);
  let from = 0;
  let at = 0;
  for (const { start, end, text } of edits) {
    at += bytes.copy(spliced, at, from, start);
    at += spliced.write(text, at);
    from = end;
  }
  bytes.copy(spliced, at, from);
  return spliced;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;

interface Scan {
  readonly members: readonly Member[];
  /** Offsets of the object's braces. */
  readonly open: number;
  readonly close: number;
}

function scanMembers(bytes: Buffer, fields: readonly Field[]): Scan {
  const open = skipSpace(bytes, 0);
  expect(bytes, open, BRACE_OPEN);
  const members: Member[] = [];
  let at = skipSpace(bytes, open + 1);
  if (bytes[at] === BRACE_CLOSE) return { members, open, close: at };
  for (;;) {
    const start = at;
    const keyEnd = stringEnd(bytes, start);
    const colon = skipSpace(bytes, keyEnd);
    expect(bytes, colon, COLON);
    const value = skipSpace(bytes, colon + 1);
    const end = valueEnd(bytes, value);
    members.push({ field: fieldAt(bytes, start, keyEnd, fields), start, value, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === BRACE_CLOSE) return { members, open, close: at };
    expect(bytes, at, COMMA);
    at = skipSpace(bytes, at + 1);
  }
}

/** The field whose key stands between the quotes; plain keys are compared without decoding them. */
function fieldAt(
  bytes: Buffer,
  start: number,
  end: number,
  fields: readonly Field[],
): number | null {
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at] as number;
    if (byte !== BACKSLASH && byte < 0x80) continue;
    const key = decodedKey(bytes, start, end);
    const found = fields.findIndex(([name]) => name === key);
    return found === -1 ? null : found;
  }
  for (let field = 0; field < fields.length; field += 1) {
    if (isKey(bytes, start, end, fields[field]?.[0] ?? '')) return field;
  }
  return null;
}

function isKey(bytes: Buffer, start: number, end: number, key: string): boolean {
  if (key.length !== end - start - 2) return false;
  for (let index = 0; index < key.length; index += 1) {
    if (key.charCodeAt(index) !== bytes[start + 1 + index]) return false;
  }
  return true;
}

/** With escapes, `"mod\u0065l"` is `model`. */
function decodedKey(bytes: Buffer, start: number, end: number): string {
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as string;
  } catch (cause) {
    throw broken(start, cause);
  }
}

function skipSpace(bytes: Buffer, from: number): number {
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
function stringEnd(bytes: Buffer, from: number): number {
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

function valueEnd(bytes: Buffer, from: number): number {
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

function expect(bytes: Buffer, at: number, byte: number): void {
  if (bytes[at] !== byte) throw broken(at);
}

function broken(at: number, cause?: unknown): GatewayError {
  return new GatewayError(
    'invalid_json',
    `The body is not a JSON object (byte ${at}).`,
    { offset: at },
    cause,
  );
}
