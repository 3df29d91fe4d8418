import type { Tokens } from '../../core/call.ts';
import type { DecodedChunk, StreamDecoder, UpstreamFailure } from '../../core/provider.ts';
import { UNCOUNTED_BYTES } from '../bytes/held-bytes.ts';
import { failed, TOO_MUCH_HELD } from './failures.ts';
import { hasData, Splitter } from './sse.ts';
import type { Sending } from './upstream.ts';

/** Who takes the events of a stream; `onEnd` comes once, last, with null where it was complete. */
export interface StreamConsumer {
  onChunks(chunks: readonly DecodedChunk[]): void;
  onEnd(failure: UpstreamFailure | null): void;
}

/** Who started the attempt, and hears of its turns. */
export interface StreamOwner {
  /** Whether the client asked for the usage that comes behind the answer. */
  readonly asks_usage?: boolean;
  /** Once: null at the first token, or why there will be none. */
  begun(failure: UpstreamFailure | null): void;
  /** Once: nothing more will come of it, or it is wanted no more. */
  stopped(): void;
  /**
   * So many bytes of an unfinished event, and of events before the first token, are held, where
   * they are many, or no more; whether that may be.
   */
  hold?(bytes: number): boolean;
  /** What may be told of an event that is an error. */
  told?(chunk: DecodedChunk): DecodedChunk;
}

/** After `[DONE]` the upstream may end its connection in order, so that it can be used again. */
const DRAIN_MS = 1000;
/**
 * What comes behind the last word of an answer (its usage, `[DONE]`, the connection's end) comes
 * with it; an upstream that lets its client wait for longer has forgotten it.
 */
const FINISHED_MS = 1500;
/**
 * Usage that the client asked for may be late: a lost packet comes again after seconds, and who
 * asked counts on it. Where only we did, its end would wait for our own books, so they estimate.
 */
const USAGE_MS = 5000;
/** Of events before the first token: `response.created` repeats instructions and tools. */
const HEAD_BYTES_MAX = 256 * 1024;
/** What an event takes beside its own bytes. */
const EVENT_BYTES = 128;

/**
 * An upstream's event stream on its way to the client. Until its first token it is an attempt that
 * may still fail over, and what comes before is held; from then on it waits for its consumer, and
 * whatever goes wrong is told to that one. Complete means `[DONE]`, or an end after a
 * finish_reason: nothing else does.
 */
export class LiveStream {
  readonly #decoder: StreamDecoder;
  readonly #sending: Sending;
  readonly #splitter = new Splitter();
  readonly #owner: StreamOwner;
  readonly #idle_ms: number;
  #idle: NodeJS.Timeout;
  #patience_ms: number;
  #drain: NodeJS.Timeout | undefined;
  #consumer: StreamConsumer | null = null;
  #waiting: DecodedChunk[] = [];
  /** Bytes of what waits for the first token. */
  #head = 0;
  #open = false;
  #finished = false;
  #done = false;
  #paused = false;
  #ended = false;
  #failure: UpstreamFailure | null = null;
  #tokens: Tokens | null = null;
  #counted = 0;

  constructor(decoder: StreamDecoder, sending: Sending, idle_ms: number, owner: StreamOwner) {
    this.#decoder = decoder;
    this.#sending = sending;
    this.#owner = owner;
    this.#idle_ms = idle_ms;
    this.#patience_ms = idle_ms;
    this.#idle = this.#silence(idle_ms);
  }

  /** What the upstream has reported until now, whoever got to see it. */
  get tokens(): Tokens | null {
    return this.#tokens;
  }

  /** Gives what has come so far, then the rest as it comes. */
  attach(consumer: StreamConsumer): void {
    this.#consumer = consumer;
    const chunks = this.#waiting;
    this.#waiting = [];
    if (chunks.length > 0) consumer.onChunks(chunks);
    if (this.#ended) consumer.onEnd(this.#failure);
  }

  pause(): void {
    this.#paused = true;
    if (!this.#ended) this.#sending.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#ended) return;
    this.#idle.refresh();
    this.#sending.resume();
  }

  /** The client has gone: nobody wants the rest, and nobody is told. */
  abandon(): void {
    if (this.#ended) return;
    this.#consumer = null;
    this.#stop();
    this.#sending.abort();
  }

  push(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (!this.#finished) this.#idle.refresh();
    let events: readonly Uint8Array[];
    try {
      events = this.#splitter.push(bytes);
    } catch {
      this.fail(failed('upstream_error', 'The upstream sent an event without an end.'));
      return;
    }
    this.#take(events);
    if (this.#splitter.held + this.#head > UNCOUNTED_BYTES || this.#counted > 0) this.#count();
  }

  end(): void {
    clearTimeout(this.#drain);
    if (this.#ended) return;
    // Some upstreams leave out the blank line after their last event.
    const rest = this.#splitter.rest();
    if (rest) this.#take([Buffer.concat([rest, BLANK_LINES])], true);
    if (this.#ended) return;
    this.#finish(this.#finished ? null : cut());
  }

  /**
   * The connection broke, or an event was bad: an orderly end if the answer was complete before.
   */
  fail(failure: UpstreamFailure): void {
    if (this.#ended) return;
    this.#sending.abort();
    this.#finish(this.#finished ? null : failure);
  }

  #count(): void {
    if (this.#ended) return;
    const held = this.#splitter.held + this.#head;
    const counted = held > UNCOUNTED_BYTES ? held : 0;
    if (counted === this.#counted) return;
    this.#counted = counted;
    if (this.#owner.hold?.(counted) !== false) return;
    // What only waits for the first token need not wait.
    if (this.#splitter.held <= UNCOUNTED_BYTES) this.#begin();
    else this.fail(TOO_MUCH_HELD);
  }

  #take(events: readonly Uint8Array[], last = false): void {
    const chunks: DecodedChunk[] = [];
    for (const event of events) {
      // A comment keeps a waiting client alive, but it is no beginning of an answer.
      if (!this.#open && this.#head === 0 && chunks.length === 0 && !hasData(event)) continue;
      const decoded = this.#decoder.decode(event);
      const chunk = decoded.error ? (this.#owner.told?.(decoded) ?? decoded) : decoded;
      this.#learn(chunk);
      const failure = chunk.error ?? (chunk.malformed ? malformed() : null);
      if (failure) {
        this.#give(this.#readable(chunks, chunk));
        // What the end of the connection cut off is no bad event, but a cut.
        if (!last || !chunk.malformed) this.fail(failure);
        return;
      }
      chunks.push(chunk);
      if (chunk.done) break;
    }
    this.#give(chunks);
    if (chunks.length > 0) this.#goOn(chunks);
  }

  /** These have been given out: is the answer over, and if not, how long may it now be silent? */
  #goOn(chunks: readonly DecodedChunk[]): void {
    if (this.#ended) return;
    if (chunks.at(-1)?.done) {
      this.#done = true;
      this.#complete();
    } else if (this.#finished) {
      // Signs of life say nothing of an answer that is complete.
      const newest = chunks.findLast(isToken);
      if (newest !== undefined) this.#awaitEnd(newest.content);
    }
  }

  /** Nothing but usage and the proper end is to come, unless the finish came with `words`. */
  #awaitEnd(words: boolean): void {
    const late = this.#owner.asks_usage === true && this.#tokens === null;
    const end_ms = Math.min(late ? USAGE_MS : FINISHED_MS, this.#idle_ms);
    const patience_ms = words ? this.#idle_ms : end_ms;
    if (patience_ms === this.#patience_ms) {
      this.#idle.refresh();
      return;
    }
    this.#patience_ms = patience_ms;
    clearTimeout(this.#idle);
    this.#idle = this.#silence(patience_ms);
  }

  #silence(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#onIdle(ms), ms);
  }

  #learn({ facts, finished = Boolean(facts.finish) }: DecodedChunk): void {
    if (finished) this.#finished = true;
    if (facts.tokens) this.#tokens = facts.tokens;
  }

  /** Amid an answer the upstream's own last word on its failure is the client's to read. */
  #readable(chunks: readonly DecodedChunk[], bad: DecodedChunk): DecodedChunk[] {
    const begun = this.#open || chunks.some(isToken);
    if (begun && bad.done) return [...chunks, bad];
    // Of a whole answer it tells no more than what that has cost.
    return this.#finished && bad.facts.tokens
      ? [...chunks, { ...bad, event: null, error: null }]
      : [...chunks];
  }

  #complete(): void {
    this.#drain = setTimeout(() => this.#sending.abort(), DRAIN_MS).unref();
    this.#finish(null);
    if (this.#paused) this.#sending.resume();
  }

  #give(chunks: DecodedChunk[]): void {
    if (chunks.length === 0) return;
    if (this.#consumer) this.#consumer.onChunks(chunks);
    else this.#waiting.push(...chunks);
    if (!this.#open && this.#isBegun(chunks)) this.#begin();
  }

  /** Whether a token has come, or more without one than is worth holding. */
  #isBegun(chunks: readonly DecodedChunk[]): boolean {
    for (const { event } of chunks) this.#head += EVENT_BYTES + (event?.length ?? 0);
    return this.#head > HEAD_BYTES_MAX || chunks.some(isToken);
  }

  #begin(): void {
    this.#open = true;
    this.#head = 0;
    this.#owner.begun(null);
  }

  #finish(failure: UpstreamFailure | null): void {
    if (this.#ended) return;
    // What a translation still owes the client of an answer that lacks its own last event.
    if (!failure && !this.#done && this.#decoder.finish) this.#give([this.#decoder.finish()]);
    this.#stop();
    this.#failure = failure;
    if (this.#open) this.#consumer?.onEnd(failure);
    else this.#owner.begun(failure ?? cut());
  }

  #stop(): void {
    this.#ended = true;
    clearTimeout(this.#idle);
    this.#owner.stopped();
  }

  #onIdle(idle_ms: number): void {
    // While the client does not read, the upstream cannot send: that silence is not its own.
    if (this.#paused) this.#idle.refresh();
    else this.fail(failed('upstream_timeout', `The upstream sent nothing for ${idle_ms} ms.`));
  }
}

/** The end of an answer without a token is its end all the same. */
function isToken({ empty, done }: DecodedChunk): boolean {
  return !empty || done;
}

const BLANK_LINES = Buffer.from('\n\n');

function cut(): UpstreamFailure {
  return failed('upstream_cut', 'The upstream ended its answer too early.');
}

function malformed(): UpstreamFailure {
  return failed('upstream_error', 'The upstream sent an event that is not JSON.');
}
