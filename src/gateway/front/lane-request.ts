import type { LaneHead } from './lane-head.ts';

/** Who takes a body that comes in parts. One of `end` and `gone` comes last, once. */
export interface BodySink {
  data(part: Buffer): void;
  end(): void;
  /** The client left amid it. */
  gone(): void;
}

/** A request of the lane. What has come of its body waits here until somebody takes it. */
export class LaneRequest {
  readonly method = 'POST';
  readonly httpVersion = '1.1';
  readonly url: string;
  readonly headers: LaneHead['headers'];
  /** Bytes of its body. */
  readonly length: number;
  readonly socket: { readonly remoteAddress?: string | undefined };
  #missing: number;
  #parts: Buffer[] = [];
  #sink: BodySink | null = null;
  #gone = false;

  constructor(head: LaneHead, socket: LaneRequest['socket']) {
    this.url = head.url;
    this.headers = head.headers;
    this.length = head.length;
    this.socket = socket;
    this.#missing = head.length;
  }

  /** Whether all of the body has come. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** The body where it came whole with its head: then nobody has to wait for it. */
  whole(): Buffer | null {
    if (this.#missing > 0 || this.#parts.length !== 1) return null;
    return this.#parts[0] as Buffer;
  }

  /** Gives what has come, and the rest as it comes. */
  take(sink: BodySink): void {
    this.#sink = sink;
    const parts = this.#parts;
    this.#parts = [];
    for (const part of parts) sink.data(part);
    if (this.#missing === 0) sink.end();
    else if (this.#gone) sink.gone();
  }

  /** Throws the rest away, and says when it is over, one way or the other. */
  discard(over: () => void): void {
    this.take({ data: () => {}, end: over, gone: over });
  }

  /** More has come; returns what belongs to the next request. */
  push(bytes: Buffer): Buffer | null {
    const mine = bytes.length <= this.#missing ? bytes : bytes.subarray(0, this.#missing);
    this.#missing -= mine.length;
    if (this.#sink) {
      if (mine.length > 0) this.#sink.data(mine);
      if (this.#missing === 0) this.#sink.end();
    } else if (mine.length > 0) this.#parts.push(mine);
    return mine.length < bytes.length ? bytes.subarray(mine.length) : null;
  }

  /** The connection is over. */
  leave(): void {
    if (this.#missing === 0) return;
    this.#gone = true;
    this.#sink?.gone();
  }
}
