import { bufferOf } from './buffer-of.ts';

/**
 * The `data` of one server-sent event, read from its bytes as the HTML standard says: lines end in
 * LF, CR or CRLF, a leading space of a value is dropped, several data lines join with LF, comments
 * and other fields are passed over. Null where the event has no data line, which readers ignore.
 */
export function sseData(event: Uint8Array): string | null {
  const bytes = bufferOf(event);
  const only = singleData(bytes);
  if (only !== null) return only;
  const lines: string[] = [];
  for (const line of bytes.toString('utf8').split(/\r\n|\r|\n/)) {
    if (line === 'data') lines.push('');
    else if (line.startsWith('data:')) lines.push(line.slice(line[5] === ' ' ? 6 : 5));
  }
  return lines.length === 0 ? null : lines.join('\n');
}

/** One event that carries `value` as JSON; with a name where the dialect names its events. */
export function sseEvent(value: unknown, name?: string): string {
  const data = `data: ${JSON.stringify(value)}\n\n`;
  return name === undefined ? data : `event: ${name}\n${data}`;
}

const LF = 0x0a;
const CR = 0x0d;
const PREFIX = Buffer.from('data: ');

/**
 * What nearly every upstream sends, `data: …` and line ends, without splitting; null for all else.
 */
function singleData(bytes: Buffer): string | null {
  if (bytes.length < PREFIX.length || bytes.compare(PREFIX, 0, 6, 0, 6) !== 0) return null;
  let end = bytes.length;
  while (end > 6 && (bytes[end - 1] === LF || bytes[end - 1] === CR)) end -= 1;
  const lf = bytes.indexOf(LF, 6);
  if (lf !== -1 && lf < end) return null;
  const cr = bytes.indexOf(CR, 6);
  if (cr !== -1 && cr < end) return null;
  return bytes.toString('utf8', 6, end);
}
