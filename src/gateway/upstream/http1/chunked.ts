import { BadResponse } from './response-head.ts';

/** Of the extensions of one chunk, and of all trailer fields: nobody reads them. */
const IGNORED_BYTES_MAX = 16 * 1024;
/** 2^48: no chunk is larger, and a double holds it. */
const SIZE_DIGITS_MAX = 12;

type State =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer'
  | 'end-lf';

/**
 * Takes a chunked body apart (RFC 9112 §7.1), split at whatever bytes. Extensions and trailers are
 * passed over. Throws `BadResponse`.
 */
export class ChunkedReader {
  #state: State = 'size';
  #size = 0;
  #digits = 0;
  #ignored = 0;
  /** Bytes of the trailer line at hand; the empty one ends the body. */
  #line = 0;
  #over = false;

  /** Whether the body's last byte has been read. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Shows the data in `bytes`, until `onData` says that it is enough for now; the offset behind
   * what was read. `most` is how long a part may be.
   */
  read(bytes: Buffer, most: number, onData: (part: Buffer) => boolean): number {
    let at = 0;
    while (at < bytes.length && !this.#over) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + Math.min(this.#size, most));
        const part = bytes.subarray(at, end);
        this.#size -= part.length;
        at = end;
        if (this.#size === 0) this.#state = 'data-cr';
        if (!onData(part)) return at;
      } else {
        this.#over = this.#step(bytes[at] as number);
        at += 1;
      }
    }
    return at;
  }

  /** One byte that is no data; whether it was the last of all. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case 'size':
        this.#sizeByte(byte);
        return false;
      case 'extension':
        this.#ignore();
        if (byte === CR) this.#state = 'size-lf';
        else if (byte === LF) throw malformed();
        return false;
      case 'size-lf':
        if (byte !== LF) throw malformed();
        this.#begin();
        return false;
      case 'data-cr':
        if (byte !== CR) throw malformed();
        this.#state = 'data-lf';
        return false;
      case 'data-lf':
        if (byte !== LF) throw malformed();
        this.#state = 'size';
        return false;
      case 'trailer':
        return this.#trailerByte(byte);
      default:
        if (byte !== LF) throw malformed();
        return true;
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
      if (this.#digits > SIZE_DIGITS_MAX) throw malformed();
      return;
    }
    if (this.#digits === 0) throw malformed();
    if (byte === CR) this.#state = 'size-lf';
    else if (byte === SEMICOLON || byte === SPACE || byte === TAB) this.#state = 'extension';
    else throw malformed();
  }

  #begin(): void {
    this.#digits = 0;
    this.#ignored = 0;
    this.#line = 0;
    this.#state = this.#size === 0 ? 'trailer' : 'data';
  }

  #trailerByte(byte: number): boolean {
    this.#ignore();
    if (byte === CR && this.#line === 0) this.#state = 'end-lf';
    else if (byte === LF) this.#line = 0;
    else if (byte !== CR) this.#line += 1;
    return false;
  }

  #ignore(): void {
    this.#ignored += 1;
    if (this.#ignored > IGNORED_BYTES_MAX) throw malformed();
  }
}

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const SEMICOLON = 0x3b;

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function malformed(): BadResponse {
  return new BadResponse('a chunk of the body is malformed');
}
