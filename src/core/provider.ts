import type { Call, Endpoint, Note, Tokens } from './call.ts';
import type { Json, JsonObject } from './canonical.ts';
import type { Definition, Registry } from './definition.ts';
import type { ErrorCode } from './errors.ts';
import type { SaidPiece } from './signals/said.ts';

/**
 * A dialect: pure functions between the gateway's own form (OpenAI's chat completions) and an
 * upstream's. No I/O, no clock, no state: the gateway owns the connection. None of them may throw
 * on what an upstream sends; what cannot be read is said in the result.
 */
export interface Provider {
  /**
   * Base URL of the upstream, without a trailing slash; its host is the only one that gets the key.
   * Empty while an embedded engine is not up: the target cannot be asked then.
   */
  readonly base_url: string;
  /** Adapters that the upstream can be asked for, by name. */
  readonly adapters: readonly string[];
  /** What it can be asked for, natively or by translation; all else is 404 for its targets. */
  readonly endpoints: readonly Endpoint[];
  encode(request: ProviderRequest): UpstreamRequest;
  /** A whole answer, into the dialect of the call's endpoint. */
  decode(answer: UpstreamAnswer): DecodedAnswer;
  /** The decoder of one stream: it remembers what translation needs between two events. */
  openStream(stream: StreamStart): StreamDecoder;
  /** Asks about a response that it keeps; absent where it has no responses. */
  encodeStored?(request: StoredRequest): UpstreamRequest;
}

/** What may be asked of a response that a provider keeps. All of it has been validated. */
export interface StoredRequest {
  readonly method: 'GET' | 'DELETE' | 'POST';
  /** Letters, digits, `_` and `-`. */
  readonly id: string;
  readonly part: '' | '/cancel' | '/input_items';
  /** Encoded, with its `?`; empty where there is none. */
  readonly query: string;
  readonly stream: boolean;
  /** As `Call.relayed`. */
  readonly relayed: Readonly<Record<string, string>>;
}

export interface StreamStart {
  readonly endpoint: Endpoint;
  readonly adapter: string | null;
  /** The model that the target named: for answers that do not name their own. */
  readonly model: string;
  /** When the call came, in seconds: for answers that do not say when they were made. */
  readonly created_s: number;
  /** For answers that have no id of their own. */
  readonly call_id: string;
  /** Whether the client of a chat completion asked for the chunk of usage. */
  readonly include_usage: boolean;
  /** Choices that the answer is to have; 1 where it is not said. */
  readonly choices?: number;
  readonly recall?: Recall | undefined;
}

/** No I/O, and what it remembers is bounded by the stream's tool calls. Must not throw. */
export interface StreamDecoder {
  /** The bytes of one server-sent event, with its terminator. */
  decode(event: Uint8Array): DecodedChunk;
  /**
   * What is still to be said where the upstream ended well, but without its own last event; its
   * `done` is true.
   */
  finish?(): DecodedChunk;
}

export interface ProviderRequest {
  readonly call: Call;
  /** The target's name of the model. */
  readonly model: string;
  /** Top-level fields to set over the client's bytes, null removes; merged over all plugins. */
  readonly patch: { readonly [field: string]: Json };
  /** The adapter asked for, one of `adapters`, or null. */
  readonly adapter: string | null;
  /** Ask for usage in the stream even if the client did not; the gateway drops the extra chunk. */
  readonly include_usage: boolean;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'DELETE' | 'POST';
  /** Absolute path with the base URL's own path in front. */
  readonly path: string;
  /** All headers but host, content-length and connection, credentials included. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** What of the request has no counterpart in the upstream's dialect: becomes `x-hive-notes`. */
  readonly notes?: readonly Note[];
  readonly recall?: Recall | undefined;
}

/** What of a request its answer is read by. */
export interface Recall {
  /** Tools' names as the client has them, by those that the provider got. */
  readonly names?: ReadonlyMap<string, string>;
  /** The client asked with `functions`: a call is a `function_call` to it. */
  readonly legacy?: true;
  /** A response that its provider goes on making, whoever hears of it: nobody else is asked. */
  readonly background?: true;
}

export interface UpstreamAnswer {
  readonly endpoint: Endpoint;
  /** The model that the target named. */
  readonly model: string;
  /** When the call came, in seconds. */
  readonly created_s: number;
  readonly call_id: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  /** The adapter that was asked for. */
  readonly adapter: string | null;
  readonly recall?: Recall | undefined;
}

export type DecodedAnswer =
  | {
      readonly ok: true;
      /** The answer in OpenAI's dialect; the same bytes where nothing had to change. */
      readonly body: Uint8Array;
      readonly facts: AnswerFacts;
      /** What of the answer has no counterpart in the client's dialect: as a request's notes. */
      readonly notes?: readonly Note[];
    }
  | {
      readonly ok: false;
      readonly error: UpstreamFailure;
      /** What it cost all the same, where it says so. */
      readonly tokens?: Tokens;
    };

/** What an answer says of itself; each null where it does not. */
export interface AnswerFacts {
  readonly completion_id: string | null;
  readonly model: string | null;
  readonly finish: string | null;
  readonly tokens: Tokens | null;
  /** The adapter that the answer proves was applied. */
  readonly adapter: string | null;
  /** What it says, for the rules of `core/signals`: it stays in memory and is never stored. */
  readonly said?: SaidPiece | undefined;
}

/** What kind of failure it was: where a call may fall over to, and what it tells of a target. */
export type FailureClass =
  /** The prompt is too long for the model: only a larger one can help. */
  | 'context_length'
  /** The provider refuses the content: the client is told, nobody else is asked. */
  | 'content_filter'
  /** 429: the limiter's business, not the breaker's. */
  | 'rate_limit'
  /** The provider refuses our credentials: another target may answer, and an operator must know. */
  | 'credentials'
  /** The provider does not know the target's model: another may answer, an operator must know. */
  | 'unknown_model'
  /** The provider is elsewhere, and nobody is followed: as above. */
  | 'redirect'
  /** The client's mistake. */
  | 'request'
  | 'timeout'
  | 'unavailable';

export interface UpstreamFailure {
  readonly class: FailureClass;
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  /** The upstream's own `{error: {message, type, param, code}}`, all four keys, or null. */
  readonly body: JsonObject | null;
  readonly retry_after_s: number | null;
  /** What the upstream said of its limits, as headers, where it said anything. */
  readonly limits?: Readonly<Record<string, string>>;
  /** Whether another attempt, here or elsewhere, may succeed. */
  readonly retryable: boolean;
  /** Whether this counts against the target's breaker: a client's mistake does not. */
  readonly counts: boolean;
  /** Whose failure it is; the gateway adds it to what it may tell a client. */
  readonly target?: string;
  /** What a provider's own code threw: for the log, and nobody else. */
  readonly fault?: string;
}

export interface DecodedChunk {
  /**
   * The event in the dialect of the call's endpoint, several of them in a row, or null to drop it;
   * the same bytes where nothing had to change.
   */
  readonly event: Uint8Array | null;
  /** The end as the client's dialect has it: `data: [DONE]`, or `message_stop`. */
  readonly done: boolean;
  /** The final chunk that carries only usage: dropped where the client did not ask for it. */
  readonly usage_only: boolean;
  /** An error inside the stream; with `done`, `event` is what the client has to see of it. */
  readonly error: UpstreamFailure | null;
  readonly facts: Partial<AnswerFacts>;
  /** Whether it carries the first content of the answer: where the time to first token ends. */
  readonly content: boolean;
  /**
   * Known to carry nothing of an answer: an opening without content, a ping, a comment. While
   * nothing else has come, another target may still be asked; what is unknown counts as a token.
   */
  readonly empty: boolean;
  /** Whether all choices have finished; where it is not told, `facts.finish` tells it. */
  readonly finished?: boolean;
  /** Not JSON: the gateway turns it into an error event, since clients throw on it. */
  readonly malformed: boolean;
}

export interface ProviderHost {
  /** The entry's name in the policy. */
  readonly name: string;
  /**
   * Base URL of the embedded engine for this provider, such as `http://127.0.0.1:41234/local/v1`;
   * the empty string while the engine is not up, and for all other providers.
   */
  engineUrl(): string;
}

/**
 * A provider's definition also says which of its options name local files (their digests are part
 * of the policy's version) and which engine it needs started.
 */
export interface ProviderDefinition<Options> extends Definition<Options, ProviderHost, Provider> {
  /** Option keys that hold a secret: they must be a `${VAR}` and stay one in the policy. */
  readonly secrets: readonly string[];
  files?(options: Options): readonly string[];
  engine?(options: Options): EngineSpec;
}

/** A model that the embedded engine is to serve; paths are as the policy writes them. */
export interface EngineSpec {
  readonly model: string;
  readonly adapters: Readonly<Record<string, string>>;
  readonly context_tokens: number;
  readonly slots: number;
}

/** A provider's definition with its option type hidden, as the registry holds it. */
export interface AnyProviderDefinition {
  readonly name: string;
  readonly summary: string;
  readonly secrets: readonly string[];
  readonly options: ProviderDefinition<unknown>['options'];
  create(options: never, host: ProviderHost): Provider;
  files?(options: never): readonly string[];
  engine?(options: never): EngineSpec;
}

/** The narrower map stands first: its `get` is the one that callers see. */
export type ProviderRegistry = ReadonlyMap<string, AnyProviderDefinition> &
  Registry<ProviderHost, Provider>;
