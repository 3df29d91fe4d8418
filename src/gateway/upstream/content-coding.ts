import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import type { Sending, UpstreamHeaders } from './upstream.ts';

/** An upstream's answer packed in a way that the gateway asked nobody for. */
export type Coding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** RFC 9110 §8.4.1, RFC 8878; `x-gzip` is an old name of gzip. */
const NAMES: Readonly<Record<string, Coding>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  zstd: 'zstd',
};

/**
 * How an answer is packed: null where it is not, `unknown` where nobody here can read it, several
 * codings on top of each other included.
 */
export function codingOf(headers: UpstreamHeaders): Coding | 'unknown' | null {
  const told = headers['content-encoding'];
  if (told === undefined || told === '' || told === 'identity') return null;
  const name = typeof told === 'string' ? told.toLowerCase() : '';
  if (name === 'identity') return null;
  return (Object.hasOwn(NAMES, name) && NAMES[name]) || 'unknown';
}

/** Who takes what is unpacked. One of `unpacked` and `broken` comes last, once. */
export interface Taker {
  data(bytes: Uint8Array): void;
  unpacked(): void;
  broken(error: Error): void;
}

/** What was said to be packed cannot be unpacked. */
export const BAD_CODING = 'BAD_CODING';

/**
 * Unpacks one answer as it comes: whatever the bytes so far say is given on before more is waited
 * for. It stands between an upstream's connection and who reads it, so it is what that one pauses;
 * a small answer that unpacks to a large one is read no faster than its reader takes it, and ends
 * at `bytes_max`. An end amid the packed bytes is an error without a code, as a cut connection is.
 */
export class Unpacking implements Sending {
  readonly #coding: Coding;
  readonly #bytes_max: number;
  readonly #sending: Sending;
  readonly #taker: Taker;
  #stream: Transform | null = null;
  #bytes = 0;
  /** Parts given to the decoder that it is not done with. */
  #writing = 0;
  #paused = false;
  #over = false;
  /** The upstream has said its last word: nothing, or what broke. */
  #last: { readonly error: Error | null } | null = null;

  constructor(coding: Coding, bytes_max: number, sending: Sending, taker: Taker) {
    this.#coding = coding;
    this.#bytes_max = bytes_max;
    this.#sending = sending;
    this.#taker = taker;
  }

  push(bytes: Uint8Array): void {
    if (this.#over || bytes.length === 0) return;
    this.#stream ??= this.#open(bytes[0] as number);
    this.#writing += 1;
    const more = this.#stream.write(bytes, () => {
      this.#writing -= 1;
      this.#settle();
    });
    if (!more) this.#sending.pause();
  }

  /** The upstream's answer has come to its end. */
  end(): void {
    this.#last = { error: null };
    this.#settle();
  }

  /** It has broken off: what came before is given on first. */
  fail(error: Error): void {
    this.#last = { error };
    this.#settle();
  }

  abort(): void {
    this.#stop();
    this.#sending.abort();
  }

  pause(): void {
    this.#paused = true;
    this.#stream?.pause();
    this.#sending.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stream?.resume();
    if (!this.#stream?.writableNeedDrain) this.#sending.resume();
    this.#settle();
  }

  #open(first: number): Transform {
    const stream = decoderFor(this.#coding, first);
    stream.on('data', (bytes: Buffer) => this.#give(bytes));
    stream.on('drain', () => {
      if (!this.#paused && !this.#over) this.#sending.resume();
    });
    stream.on('end', () => {
      if (this.#over) return;
      this.#over = true;
      this.#taker.unpacked();
    });
    stream.on('error', (error: Error & { code?: unknown }) => {
      this.#break(error.code === CUT ? new Error('the packed answer ends too early') : bad(error));
    });
    if (this.#paused) stream.pause();
    return stream;
  }

  #give(bytes: Buffer): void {
    if (this.#over) return;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#bytes_max) {
      this.#break(Object.assign(new Error('the answer is too large'), { code: TOO_LARGE }));
      return;
    }
    this.#taker.data(bytes);
    this.#settle();
  }

  /**
   * The last word is acted upon when all before it has been read: an error takes with it what its
   * decoder still holds.
   */
  #settle(): void {
    const last = this.#last;
    const stream = this.#stream;
    if (last === null || this.#over || this.#writing > 0 || this.#paused) return;
    if (stream !== null && stream.readableLength > 0) return;
    this.#last = null;
    if (last.error) this.#break(last.error);
    else if (stream !== null) stream.end();
    else {
      this.#over = true;
      this.#taker.unpacked();
    }
  }

  #break(error: Error): void {
    if (this.#over) return;
    this.#stop();
    this.#taker.broken(error);
  }

  #stop(): void {
    this.#over = true;
    this.#stream?.destroy();
  }
}

/** zlib's word for input that ends too early. */
const CUT = 'Z_BUF_ERROR';
const TOO_LARGE = 'RESPONSE_TOO_LARGE';

function bad(cause: Error): Error {
  return Object.assign(new Error('the packed answer is malformed', { cause }), {
    code: BAD_CODING,
  });
}

function decoderFor(coding: Coding, first: number): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX } });
    default:
      // Some send the bare format under this name, without the header that it should have.
      return (first & METHOD) === DEFLATE ? createInflate() : createInflateRaw();
  }
}

/** RFC 9659: 8 MiB, or a few bytes could have 128 MiB set aside for them. */
const WINDOW_LOG_MAX = 23;
/** RFC 1950 §2.2. */
const METHOD = 0x0f;
const DEFLATE = 0x08;
