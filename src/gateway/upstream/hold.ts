import type { Tokens } from '../../core/call.ts';
import type { DecodedChunk, UpstreamFailure } from '../../core/provider.ts';
import type { Account } from '../bytes/held-bytes.ts';
import type { StreamConsumer } from './live-stream.ts';

/** Where the events of a stream come from, live or held. */
export interface StreamSource {
  /** What the upstream has reported until now, whoever got to see it. */
  readonly tokens: Tokens | null;
  /** Gives what has come so far, then the rest as it comes. */
  attach(consumer: StreamConsumer): void;
  pause(): void;
  resume(): void;
  /** Nobody wants the rest, and nobody is told. */
  abandon(): void;
}

/** What holding a stream came to: a source to pass on, or why there will be none. */
export type Held =
  | {
      readonly kind: 'complete';
      readonly source: StreamSource;
      /** All of it, until it is given out. */
      readonly chunks: readonly DecodedChunk[];
    }
  | { readonly kind: 'overflow'; readonly source: StreamSource }
  | { readonly kind: 'cut'; readonly failure: UpstreamFailure };

/**
 * Holds a stream back until it is complete, so that one that is cut can still be answered by
 * another target, unseen. One that grows beyond `bytes_max`, or beyond what all calls may hold, is
 * let go and passed on as it comes: memory is bounded, and a long answer that may break off is
 * better than none.
 */
export function holdStream(live: StreamSource, bytes_max: number, account: Account): Promise<Held> {
  const { promise, resolve } = Promise.withResolvers<Held>();
  const held = new HeldStream(live, bytes_max, account, resolve);
  live.attach(held);
  return promise;
}

/** What a chunk takes beside its event's own bytes: a stream of tiny events is mostly that. */
const CHUNK_BYTES = 128;
/** Chunks given out at once; between two the client's reading may hold them up. */
const CHUNKS_AT_ONCE = 64;

/** Consumer of the live stream, and the source of whoever reads it later. */
class HeldStream implements StreamSource, StreamConsumer {
  readonly #live: StreamSource;
  readonly #bytes_max: number;
  readonly #account: Account;
  readonly #decide: (held: Held) => void;
  #held: DecodedChunk[] = [];
  #bytes = 0;
  #end: { readonly failure: UpstreamFailure | null } | null = null;
  #consumer: StreamConsumer | null = null;
  #paused = false;
  #giving = false;

  constructor(
    live: StreamSource,
    bytes_max: number,
    account: Account,
    decide: (held: Held) => void,
  ) {
    this.#live = live;
    this.#bytes_max = bytes_max;
    this.#account = account;
    this.#decide = decide;
  }

  get tokens(): Tokens | null {
    return this.#live.tokens;
  }

  onChunks(chunks: readonly DecodedChunk[]): void {
    this.#held.push(...chunks);
    let bytes = 0;
    for (const { event } of chunks) bytes += CHUNK_BYTES + (event?.length ?? 0);
    this.#bytes += bytes;
    if (this.#consumer) {
      this.#give();
      return;
    }
    if (this.#account.take(bytes) && this.#bytes <= this.#bytes_max) return;
    this.#live.pause();
    this.#decide({ kind: 'overflow', source: this });
  }

  onEnd(failure: UpstreamFailure | null): void {
    this.#end = { failure };
    // Said in vain where it has overflowed: then the end goes to whoever reads it.
    if (this.#consumer) this.#give();
    else if (failure) this.#decide({ kind: 'cut', failure });
    else this.#decide({ kind: 'complete', source: this, chunks: this.#held });
  }

  attach(consumer: StreamConsumer): void {
    this.#consumer = consumer;
    this.resume();
  }

  pause(): void {
    this.#paused = true;
    this.#live.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#give();
    if (!this.#paused) this.#live.resume();
  }

  abandon(): void {
    this.#consumer = null;
    this.#held = [];
    this.#live.abandon();
  }

  #give(): void {
    if (this.#giving) return;
    this.#giving = true;
    while (this.#consumer && !this.#paused && this.#held.length > 0) {
      this.#consumer.onChunks(this.#held.splice(0, CHUNKS_AT_ONCE));
    }
    this.#giving = false;
    const consumer = this.#consumer;
    if (consumer === null || this.#held.length > 0 || this.#end === null) return;
    this.#consumer = null;
    consumer.onEnd(this.#end.failure);
  }
}
