import { crc32 } from 'node:zlib';
import type { JournalRecord } from '../core/event.ts';

/**
 * One record as a line: CRC-32 of the JSON's bytes in 8 lower-case hex digits, a space, the JSON in
 * UTF-8, a newline. JSON escapes newlines, so a newline always ends a line, and reading can go on
 * at the next one after any damage.
 */
export function encodeLine(record: JournalRecord): Buffer {
  return Buffer.from(lineOf(record));
}

/** The same as a text: many lines are put into bytes at once for less than one by one. */
export function lineOf(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return lineWith(crc32(json), json);
}

/** A line of JSON in one or two parts, and of the checksum of both. */
export function lineWith(crc: number, json: string, rest = ''): string {
  return `${hex32(crc)} ${json}${rest}\n`;
}

const HEX_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** 8 digits: by a table, since a number's own `toString` costs more than the checksum. */
function hex32(value: number): string {
  const [a, b] = [HEX_BYTES[value >>> 24] as string, HEX_BYTES[(value >>> 16) & 0xff] as string];
  return a + b + (HEX_BYTES[(value >>> 8) & 0xff] as string) + (HEX_BYTES[value & 0xff] as string);
}

/** The checksum and the space before the JSON. */
export const PREFIX_BYTES = 9;
export const NEWLINE = 0x0a;
const SPACE = 0x20;

export type DecodedLine =
  | { readonly record: JournalRecord; readonly reason: null }
  | { readonly record: null; readonly reason: string };

/** A line without its newline. Never throws: what is no record has the reason why. */
export function decodeLine(line: Uint8Array): DecodedLine {
  if (line.length <= PREFIX_BYTES || line[8] !== SPACE) return bad('no checksum');
  const given = Buffer.from(line.buffer, line.byteOffset, 8).toString('latin1');
  if (!/^[0-9a-f]{8}$/.test(given)) return bad('no checksum');
  // A view, not a copy.
  const json = Buffer.from(line.buffer, line.byteOffset + PREFIX_BYTES, line.length - PREFIX_BYTES);
  if (crc32(json) !== Number.parseInt(given, 16)) return bad('checksum does not match');
  try {
    const record: unknown = JSON.parse(json.toString());
    if (isRecord(record)) return { record, reason: null };
    return bad('no record: it has no type');
  } catch {
    return bad('no JSON');
  }
}

/** A checksum that matches says that we wrote it; a type is all that dispatching needs. */
function isRecord(value: unknown): value is JournalRecord {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}

function bad(reason: string): DecodedLine {
  return { record: null, reason };
}
