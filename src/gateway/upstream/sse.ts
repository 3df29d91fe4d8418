import { bufferOf } from '../../core/buffer-of.ts';
import { ByteParts } from '../bytes/byte-parts.ts';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
/** An event larger than this is an upstream gone wrong, not an answer. */
export const EVENT_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Cuts an upstream's bytes into server-sent events by the specification: lines end in LF, CR or
 * CRLF, a blank line ends an event, a byte order mark may open the stream, and a chunk may end
 * anywhere, inside a CRLF or a UTF-8 character too. An event is given out as the bytes it came in,
 * with its terminator, as soon as its last byte is known; nothing waits for the next chunk. Only
 * its lines always end in LF, since clients that look for two of them are many.
 */
export class Splitter {
  readonly #held = new ByteParts();
  /** The current line has no byte yet; the current event has no line yet. */
  #lineEmpty = true;
  #eventEmpty = true;
  /** The last byte was a CR: an LF now belongs to the same line's end. */
  #afterCr = false;
  /** A line of the current event ended in a CR. */
  #foreign = false;
  /** Bytes of a byte order mark seen so far; -1 once the stream's beginning is past. */
  #mark = 0;

  /** Bytes of an event that has not ended yet. */
  get held(): number {
    return this.#held.bytes;
  }

  /** The events that these bytes complete. Throws a RangeError on one beyond `EVENT_BYTES_MAX`. */
  push(given: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#mark >= 0 ? this.#withoutMark(given) : given;
    const events: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        // The event went out at its CR: the second half of its CRLF is nobody's.
        if (this.#eventEmpty && at === start) start = at + 1;
        continue;
      }
      this.#afterCr = byte === CR;
      if (!this.#endsEvent(byte)) continue;
      // Taking the LF of a CRLF along where it is here already keeps the bytes whole.
      if (byte === CR && bytes[at + 1] === LF) {
        at += 1;
        this.#afterCr = false;
      }
      if (!this.#eventEmpty) events.push(this.#release(bytes.subarray(start, at + 1)));
      this.#eventEmpty = true;
      start = at + 1;
    }
    this.#hold(bytes.subarray(start));
    return events;
  }

  /** What the stream left unfinished at its end, or null. */
  rest(): Uint8Array | null {
    return this.#eventEmpty ? null : this.#release(new Uint8Array());
  }

  /** Whether this byte ends a blank line. */
  #endsEvent(byte: number): boolean {
    if (byte !== LF && byte !== CR) {
      this.#lineEmpty = false;
      this.#eventEmpty = false;
      return false;
    }
    if (byte === CR) this.#foreign = true;
    const blank = this.#lineEmpty;
    this.#lineEmpty = true;
    return blank;
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    if (this.#held.bytes <= EVENT_BYTES_MAX) return;
    throw new RangeError('a server-sent event is too large');
  }

  #release(tail: Uint8Array): Uint8Array {
    const event = this.#held.bytes === 0 ? tail : this.#held.join(tail);
    if (!this.#foreign) return event;
    this.#foreign = false;
    return Buffer.from(bufferOf(event).toString('latin1').replace(/\r\n?/g, '\n'), 'latin1');
  }

  #withoutMark(bytes: Uint8Array): Uint8Array {
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.#mark === MARK.length) {
        this.#mark = -1;
        return bytes.subarray(at);
      }
      if (bytes[at] !== MARK[this.#mark]) {
        // No mark after all: what looked like its beginning is the first line's.
        const begun = MARK.subarray(0, this.#mark);
        this.#mark = -1;
        return begun.length > at ? Buffer.concat([begun, bytes.subarray(at)]) : bytes;
      }
      this.#mark += 1;
    }
    return bytes.subarray(bytes.length);
  }
}

const MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/** Whether an event has a `data` field; one of comments only keeps a connection alive, no more. */
export function hasData(event: Uint8Array): boolean {
  if (startsWithData(event, 0)) return true;
  for (let at = 0; at < event.length; at += 1) {
    const byte = event[at];
    if ((byte === LF || byte === CR) && startsWithData(event, at + 1)) return true;
  }
  return false;
}

function startsWithData(event: Uint8Array, at: number): boolean {
  if (event[at] !== 0x64 || event[at + 1] !== 0x61) return false;
  if (event[at + 2] !== 0x74 || event[at + 3] !== 0x61) return false;
  const next = event[at + 4];
  return next === COLON || next === LF || next === CR || next === undefined;
}

/** One event that carries `value` as JSON, with a name where its dialect has names. */
export function encodeEvent(value: unknown, name?: string): Uint8Array {
  const named = name === undefined ? '' : `event: ${name}\n`;
  return Buffer.from(`${named}data: ${JSON.stringify(value)}\n\n`);
}

/** Whole events in a row, one by one. */
export function splitEvents(events: Uint8Array): readonly Uint8Array[] {
  const splitter = new Splitter();
  const whole = splitter.push(events);
  const rest = splitter.rest();
  return rest === null ? whole : [...whole, rest];
}
