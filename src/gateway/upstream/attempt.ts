import type { Tokens } from '../../core/call.ts';
import type { UpstreamFailure, UpstreamRequest } from '../../core/provider.ts';
import { ByteParts } from '../bytes/byte-parts.ts';
import { type Account, UNCOUNTED_BYTES } from '../bytes/held-bytes.ts';
import { connectionFailure, isEventStream, strangeAnswer, unreadable } from './bad-answer.ts';
import { type Coding, codingOf, Unpacking } from './content-coding.ts';
import { chunkWithoutSecrets, failureWithoutSecrets } from './echoed-secrets.ts';
import { failed, TOO_MUCH_HELD, withNames } from './failures.ts';
import { LiveStream } from './live-stream.ts';
import {
  type AnswerSpec,
  LARGE_BYTES,
  readAnswer,
  readLarge,
  type WholeAnswer,
  type WholeResult,
} from './read-answer.ts';
import {
  ANSWER_BYTES_MAX,
  type Sending,
  type Sink,
  type Upstream,
  type UpstreamHeaders,
} from './upstream.ts';

/** One try at one target. */
export interface AttemptSpec extends AnswerSpec {
  /** Whether the client asked for a chat completion’s chunk of usage. */
  readonly include_usage: boolean;
  /** How many choices it asked for: 1 where it is not said. */
  readonly choices?: number;
  readonly request: UpstreamRequest;
  /** Milliseconds that the call has left. */
  readonly left_ms: number;
  /** What it comes to when they are over. */
  readonly late: UpstreamFailure;
  /** Where the bytes of a large answer are counted while it comes. */
  readonly hold?: () => Account;
}

export type AttemptResult =
  | WholeResult
  | { readonly kind: 'stream'; readonly headers: UpstreamHeaders; readonly stream: LiveStream };

/** A client that may leave. */
export interface Leaving {
  /** Calls back when it leaves, at once where it has left. */
  onGone(listener: () => void): void;
}

export interface RunningAttempt<Result = AttemptResult> {
  readonly result: Promise<Result>;
  /** The result, or `gone` as soon as the client has left: who asks this does not ask `result`. */
  orGone(client: Leaving): Promise<Result | 'gone'>;
  /** What the upstream has reported until now; null where it has not. */
  readonly tokens: Tokens | null;
  /** Gives it up at once, whatever it waits for; `result` then stays unsettled. */
  abort(): void;
}

/** What is kept of an answer that is an error: enough for any real one. */
const ERROR_BYTES_MAX = 1024 * 1024;

/**
 * Sends the request and waits until there is something to decide on: a whole answer, the first
 * token of a stream, or a failure. Until then nothing has reached the client, so it may fail over.
 */
export function startAttempt(upstream: Upstream, spec: AttemptSpec): RunningAttempt {
  return new Attempt(upstream, spec, (result) => result);
}

/** The same, and what `taken` makes of it at once: each promise more is one more wait. */
export function attempt<Result>(
  upstream: Upstream,
  spec: AttemptSpec,
  taken: (result: AttemptResult) => Result,
): RunningAttempt<Result> {
  return new Attempt(upstream, spec, taken);
}

class Attempt<Result> implements RunningAttempt<Result>, Sink {
  readonly #spec: AttemptSpec;
  #sending: Sending;
  readonly #total: NodeJS.Timeout;
  readonly #settled = Promise.withResolvers<Result | 'gone'>();
  readonly #taken: (result: AttemptResult) => Result;
  readonly #parts = new ByteParts();
  #account: Account | null = null;
  #firstToken: NodeJS.Timeout | undefined;
  #answer: { readonly status: number; readonly headers: UpstreamHeaders } | null = null;
  #live: LiveStream | null = null;
  /** What unpacks the answer, where its upstream packed it all the same. */
  #unpacking: Unpacking | null = null;
  #decided = false;
  #tokens: Tokens | null = null;

  constructor(upstream: Upstream, spec: AttemptSpec, taken: (result: AttemptResult) => Result) {
    this.#spec = spec;
    this.#taken = taken;
    // First: where it throws there is no attempt, and nothing may be left that would end one.
    this.#sending = upstream.send(outgoing(spec), this);
    this.#total = setTimeout(() => this.#fail(spec.late, spec.left_ms), whole(spec.left_ms));
  }

  get result(): Promise<Result> {
    return this.#settled.promise as Promise<Result>;
  }

  orGone(client: Leaving): Promise<Result | 'gone'> {
    client.onGone(() => this.#settled.resolve('gone'));
    return this.#settled.promise;
  }

  get tokens(): Tokens | null {
    return this.#live?.tokens ?? this.#tokens;
  }

  abort(): void {
    this.#decided = true;
    clearTimeout(this.#total);
    clearTimeout(this.#firstToken);
    this.#account?.release();
    this.#live?.abandon();
    this.#sending.abort();
  }

  onSent(): void {
    // A whole answer's first byte follows its last token: only its total time says anything.
    if (!this.#spec.stream || this.#decided || this.#firstToken !== undefined) return;
    const wait_ms = this.#spec.target.timeouts.first_token_ms;
    this.#firstToken = setTimeout(() => this.#wasSilent(wait_ms), wait_ms);
  }

  #wasSilent(wait_ms: number): void {
    const message = `The upstream sent no token within ${wait_ms} ms.`;
    this.#fail(failed('upstream_timeout', message), wait_ms);
  }

  onHeaders(status: number, headers: UpstreamHeaders): void {
    this.#answer = { status, headers };
    const { stream, target } = this.#spec;
    const coding = codingOf(headers);
    const strange = strangeAnswer(this.#spec.stream, status, headers, coding);
    if (strange) this.#fail(strange);
    else if (coding !== null && coding !== 'unknown') this.#unpack(coding);
    // Who sends no type at all sends what it was asked for.
    const events = isEventStream(headers) || headers['content-type'] === undefined;
    if (strange || !stream || !events || status !== 200) return;
    const { endpoint, adapter, created_s, call_id, include_usage, choices = 1 } = this.#spec;
    const { recall } = this.#spec.request;
    const { model } = target;
    const start = { endpoint, adapter, model, created_s, call_id, include_usage, choices, recall };
    const decoder = target.provider.openStream(start);
    const live = new LiveStream(decoder, this.#sending, target.timeouts.idle_ms, {
      asks_usage: include_usage,
      begun: (failure) => {
        if (failure) this.#decide({ kind: 'failed', failure });
        else this.#decide({ kind: 'stream', headers, stream: live });
      },
      stopped: () => {
        clearTimeout(this.#total);
        this.#account?.release();
      },
      told: (chunk) => chunkWithoutSecrets(chunk, this.#spec.request.headers),
      hold: (bytes) => {
        this.#account?.release();
        return bytes === 0 || this.#count(bytes);
      },
    });
    this.#live = live;
  }

  onData(part: Uint8Array): void {
    if (this.#unpacking) this.#unpacking.push(part);
    else this.#take(part);
  }

  onEnd(): void {
    if (this.#unpacking) this.#unpacking.end();
    else this.#finish();
  }

  onError(error: Error): void {
    if (this.#unpacking) this.#unpacking.fail(error);
    else this.#broken(error);
  }

  #unpack(coding: Coding): void {
    this.#unpacking = new Unpacking(coding, ANSWER_BYTES_MAX, this.#sending, {
      data: (bytes) => this.#take(bytes),
      unpacked: () => this.#finish(),
      broken: (error) => this.#broken(error),
    });
    this.#sending = this.#unpacking;
  }

  #take(part: Uint8Array): void {
    if (this.#live) {
      try {
        this.#live.push(part);
      } catch (thrown) {
        this.#fail(unreadable(thrown));
      }
      return;
    }
    if (this.#decided) return;
    const bytes = this.#parts.bytes + part.length;
    if (bytes > ERROR_BYTES_MAX && this.#answer?.status !== 200) return;
    if (bytes > UNCOUNTED_BYTES && !this.#count(part.length)) this.#fail(TOO_MUCH_HELD);
    else this.#parts.push(part);
  }

  #finish(): void {
    try {
      if (this.#live) this.#live.end();
      else if (this.#answer) this.#readWhole(this.#answer);
    } catch (thrown) {
      this.#fail(unreadable(thrown));
    }
  }

  #readWhole({ status, headers }: Omit<WholeAnswer, 'body'>): void {
    const answer = { status, headers, body: this.#parts.join() };
    if (answer.body.length > LARGE_BYTES) void this.#readLarge(answer);
    else this.#read(readAnswer(this.#spec, answer));
  }

  async #readLarge(answer: WholeAnswer): Promise<void> {
    try {
      this.#read(await readLarge(this.#spec, answer));
    } catch (thrown) {
      this.#fail(unreadable(thrown));
    }
  }

  #read(result: WholeResult): void {
    this.#tokens = (result.kind === 'whole' ? result.facts.tokens : result.tokens) ?? null;
    this.#decide(result);
  }

  #broken(error: Error): void {
    this.#fail(connectionFailure(error, this.#answer !== null, this.#spec.target));
  }

  #clean(result: Extract<AttemptResult, { kind: 'failed' }>): AttemptResult {
    const failure = failureWithoutSecrets(result.failure, this.#spec.request.headers);
    return { ...result, failure: withNames(failure, this.#spec.target) };
  }

  #count(bytes: number): boolean {
    this.#account ??= this.#spec.hold?.() ?? null;
    return this.#account?.take(bytes) ?? true;
  }

  /** `waited_ms`: it was waited for so long. */
  #fail(failure: UpstreamFailure, waited_ms = 0): void {
    if (this.#live) this.#live.fail(failure);
    else this.#decide({ kind: 'failed', failure });
    this.#sending.abort(this.#answer === null ? waited_ms : 0);
  }

  #decide(result: AttemptResult): void {
    if (this.#decided) return;
    this.#decided = true;
    if (result.kind !== 'stream') clearTimeout(this.#total);
    clearTimeout(this.#firstToken);
    this.#account?.release();
    try {
      this.#settled.resolve(this.#taken(result.kind === 'failed' ? this.#clean(result) : result));
    } catch (thrown) {
      this.#settled.reject(thrown);
    }
  }
}

/** Timers of one length share a list: a length to the microsecond would be a list of its own. */
function whole(ms: number): number {
  return Math.ceil(ms / TIMER_STEP_MS) * TIMER_STEP_MS;
}

const TIMER_STEP_MS = 10;

function outgoing({ target, request }: AttemptSpec) {
  return {
    base_url: target.provider.base_url,
    network: target.network,
    method: request.method,
    path: request.path,
    headers: request.headers,
    body: request.body,
    connect_ms: target.timeouts.connect_ms,
  };
}
