import { bufferOf } from './buffer-of.ts';
import type { Json, JsonObject } from './canonical.ts';
import {
  BACKSLASH,
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_OPEN,
  broken,
  COLON,
  COMMA,
  expect,
  skipSpace,
  stringEnd,
  valueEnd,
} from './json-scan.ts';
import { JsonTexts } from './json-texts.ts';
import { type Edit, type ListScan, listEdits, scanList } from './splice-list.ts';

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
 *
 * With `original`, what `raw` was parsed to, a list keeps the bytes of each element that is still
 * the very same one there. `texts` remembers what stands in many bodies.
 */
export function spliceBody(
  raw: Uint8Array,
  patch: { readonly [field: string]: Json },
  original?: JsonObject,
  texts: JsonTexts = new JsonTexts(),
): Uint8Array {
  const fields = fieldsOf(patch);
  if (fields.length === 0) return raw;
  const bytes = bufferOf(raw);
  const scan = scanMembers(bytes, fields, original);
  const edits = isPlain(scan.members, fields)
    ? plainEdits(scan, fields, { original, texts })
    : allEdits(scan, fields);
  return applyEdits(bytes, edits);
}

function fieldsOf(patch: { readonly [field: string]: Json }): readonly Field[] {
  const fields: Field[] = [];
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value !== undefined) fields.push([key, value]);
  }
  return fields;
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

function plainEdits(
  { members, open, close }: Scan,
  fields: readonly Field[],
  { original, texts }: { readonly original: JsonObject | undefined; readonly texts: JsonTexts },
): readonly Edit[] {
  const edits: Edit[] = [];
  let seen = 0;
  for (const { field, value: start, end, list } of members) {
    if (field === null) continue;
    seen |= 1 << field;
    const [key, value] = fields[field] as Field;
    if (list === null) edits.push({ start, end, text: JSON.stringify(value) });
    else edits.push(...listEdits(list, original?.[key] as Json[], value as Json[], texts));
  }
  let text = '';
  for (let index = 0; index < fields.length; index += 1) {
    const [key, value] = fields[index] as Field;
    // `isPlain` let no field that stands there have a number of more bits than these.
    if (value === null || (index < 31 && (seen & (1 << index)) !== 0)) continue;
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
  /** Its elements, where it is a list of which some may stay. */
  readonly list: ListScan | null;
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

interface Scan {
  readonly members: readonly Member[];
  /** Offsets of the object's braces. */
  readonly open: number;
  readonly close: number;
}

function scanMembers(
  bytes: Buffer,
  fields: readonly Field[],
  original: JsonObject | undefined,
): Scan {
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
    const field = fieldAt(bytes, start, keyEnd, fields);
    const list = field === null ? null : listAt(bytes, value, fields[field] as Field, original);
    const end = list?.end ?? valueEnd(bytes, value);
    members.push({ field, start, value, end, list });
    at = skipSpace(bytes, end);
    if (bytes[at] === BRACE_CLOSE) return { members, open, close: at };
    expect(bytes, at, COMMA);
    at = skipSpace(bytes, at + 1);
  }
}

/** The elements of a list of which another one is to be made, where its old ones are known. */
function listAt(
  bytes: Buffer,
  at: number,
  [key, value]: Field,
  original: JsonObject | undefined,
): ListScan | null {
  const lists = Array.isArray(value) && Array.isArray(original?.[key]);
  return lists && bytes[at] === BRACKET_OPEN ? scanList(bytes, at) : null;
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
