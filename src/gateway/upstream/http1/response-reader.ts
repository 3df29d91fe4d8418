import type { UpstreamHeaders } from '../upstream.ts';
import { ChunkedReader } from './chunked.ts';
import { BadResponse, type ResponseHead, ResponseHeads } from './response-head.ts';

export interface ResponseEvents {
  onHead(status: number, headers: UpstreamHeaders): void;
  /** Bytes of the body, good until the call returns: whoever keeps them copies them. */
  onBody(bytes: Buffer): void;
  /** The response is over; whether the connection may be used again, and how long it may rest. */
  onOver(reusable: boolean, idle_ms: number | null): void;
}

export interface ReaderLimits {
  readonly head_bytes_max: number;
  readonly body_bytes_max: number;
}

/**
 * How much of a response is read in one turn of the event loop, before everybody else is heard
 * again: in bytes of events, which may all be tiny ones; a part of whatever length costs PART_ROOM,
 * and bytes that are only kept cost little. 450 events of nine bytes, or 240 chunks of one byte.
 */
export const TURN_ROOM = 4096;
const PART_ROOM = 16;
/** By so many bits less than their number. */
const KEPT_BITS = 8;

/**
 * Reads one response from the bytes of a connection, however they are split. Interim responses
 * (1xx) are passed over, a thousand of them. Throws `BadResponse` where the bytes are no response,
 * or go on after it.
 */
export class ResponseReader {
  readonly #events: ResponseEvents;
  readonly #limits: ReaderLimits;
  readonly #heads: ResponseHeads;
  #head: ResponseHead | null = null;
  /** The head so far, where it came in pieces. */
  #partial: Buffer | null = null;
  #left = 0;
  #bytes = 0;
  #chunks: ChunkedReader | null = null;
  #over = false;
  #interims = 0;
  /** Something looks at each of its bytes as it comes, so it is shown in small parts. */
  #looked_at = true;
  /** What is left of `TURN_ROOM`; whoever pushes fills it up with each turn. */
  room = TURN_ROOM;

  /** `heads`: those of the same connection, where it has had any. */
  constructor(events: ResponseEvents, limits: ReaderLimits, heads = new ResponseHeads()) {
    this.#heads = heads;
    this.#events = events;
    this.#limits = limits;
  }

  /** Whether anything of the response has come. */
  get begun(): boolean {
    return this.#head !== null || this.#partial !== null || this.#interims > 0;
  }

  /** Reads until there is no more room; what it has left is to be pushed later, null is nothing. */
  push(bytes: Buffer): Buffer | null {
    let rest = bytes;
    while (this.#head === null) {
      const next = this.#readHead(rest);
      if (next === null) return null;
      rest = next;
    }
    return rest.length > 0 || this.#left === 0 ? this.#readBody(rest) : null;
  }

  /** The connection has ended: an end of the body, or a cut. */
  end(): void {
    if (this.#over) return;
    if (this.#head?.body !== 'to the end') throw new BadResponse('the connection ended too early');
    this.#finish(false);
  }

  /** What follows the head, or null where it is not whole. */
  #readHead(bytes: Buffer): Buffer | null {
    const partial = this.#partial;
    const all = partial === null ? bytes : Buffer.concat([partial, bytes]);
    const end = all.indexOf(HEAD_END, Math.max(0, (partial?.length ?? 0) - 3));
    if ((end === -1 ? all.length : end) > this.#limits.head_bytes_max) {
      throw new BadResponse('the head is too large');
    }
    if (end === -1) {
      this.#partial = partial === null ? Buffer.from(all) : all;
      return null;
    }
    this.#partial = null;
    const head = this.#heads.read(all.toString('latin1', 0, end));
    const rest = all.subarray(end + HEAD_END.length);
    if (head.status === SWITCHING) throw new BadResponse('nobody asked for another protocol');
    if (head.status < 200) {
      this.#interims += 1;
      if (this.#interims > INTERIMS_MAX)
        throw new BadResponse('there are too many interim answers');
      return rest;
    }
    this.#begin(head);
    return rest;
  }

  #begin(head: ResponseHead): void {
    this.#head = head;
    const { body } = head;
    if (body === 'chunked') this.#chunks = new ChunkedReader();
    this.#left = typeof body === 'object' ? body.length : Number.POSITIVE_INFINITY;
    if (typeof body === 'object' && body.length > this.#limits.body_bytes_max) throw tooLarge();
    const type = head.headers['content-type'];
    this.#looked_at = typeof type !== 'string' || !type.startsWith('application/json');
    this.#events.onHead(head.status, head.headers);
  }

  #readBody(bytes: Buffer): Buffer | null {
    if (this.#over) {
      if (bytes.length > 0) throw new BadResponse('bytes follow the response');
      return null;
    }
    return this.#chunks ? this.#readChunks(this.#chunks, bytes) : this.#readPlain(bytes);
  }

  #readChunks(chunks: ChunkedReader, bytes: Buffer): Buffer | null {
    const most = this.#looked_at ? TURN_ROOM : bytes.length;
    const end = chunks.read(bytes, most, (part) => this.#show(part));
    if (!chunks.over) return end < bytes.length ? bytes.subarray(end) : null;
    this.#finish(end === bytes.length);
    return null;
  }

  #readPlain(bytes: Buffer): Buffer | null {
    const mine = Math.min(bytes.length, this.#left);
    const most = this.#looked_at ? TURN_ROOM : mine;
    for (let at = 0; at < mine; ) {
      const part =
        mine <= most && mine === bytes.length
          ? bytes
          : bytes.subarray(at, Math.min(mine, at + most));
      at += part.length;
      this.#left -= part.length;
      if (!this.#show(part) && at < mine) return bytes.subarray(at);
    }
    // What follows the end belongs to no request: the connection is of no more use.
    if (this.#left === 0) this.#finish(mine === bytes.length);
    return null;
  }

  /** Whether there is room for more. */
  #show(part: Buffer): boolean {
    this.#bytes += part.length;
    if (this.#bytes > this.#limits.body_bytes_max) throw tooLarge();
    this.#events.onBody(part);
    this.room -= PART_ROOM + (this.#looked_at ? part.length : part.length >> KEPT_BITS);
    return this.room > 0;
  }

  #finish(clean: boolean): void {
    if (this.#over) return;
    this.#over = true;
    const { keep_alive = false, idle_ms = null } = this.#head ?? {};
    this.#events.onOver(clean && keep_alive, idle_ms);
  }
}

const HEAD_END = Buffer.from('\r\n\r\n');
const SWITCHING = 101;
/** Interim answers (1xx) before one answer: 102 may come every second of a long wait. */
const INTERIMS_MAX = 1000;

/** The body is larger than anybody wants to hold. */
export const TOO_LARGE = 'RESPONSE_TOO_LARGE';

function tooLarge(): Error {
  return Object.assign(new Error('the response is too large'), { code: TOO_LARGE });
}
