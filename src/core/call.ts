import type { Json, JsonObject } from './canonical.ts';

/** A model route, named by what it serves. */
export type Endpoint =
  | 'chat.completions'
  | 'responses'
  | 'responses.input_tokens'
  | 'responses.compact'
  | 'completions'
  | 'embeddings'
  | 'moderations'
  | 'messages'
  | 'messages.count_tokens';

/** Whose words a body and an error are in. */
export type Dialect = 'openai' | 'anthropic';

/** The dialect that the clients of an endpoint speak. */
export function dialectOf(endpoint: Endpoint): Dialect {
  return endpoint === 'messages' || endpoint === 'messages.count_tokens' ? 'anthropic' : 'openai';
}

/**
 * A call is data that moves in one direction: parsed once, then never changed. What plugins want
 * changed they return as a `CallPatch`; the gateway merges patches in policy order.
 */
export interface Call {
  /** `call_<uuidv7>`, ours; `x-hive-call-id`. */
  readonly id: string;
  /** The client's valid `x-request-id`, or ours: for correlation only. */
  readonly request_id: string;
  readonly at_ms: number;
  readonly tenant: string;
  readonly key: string;
  readonly agent: string;
  /** `u:…`, `s:…`, `c:…` or `r:…` and a keyed hash; never what the client sent. */
  readonly unit: string;
  readonly user: string | null;
  readonly session: string | null;
  readonly endpoint: Endpoint;
  /**
   * Headers of the client that a provider of the same dialect may relay, in lower case, from an
   * allow-list: `anthropic-version`, `anthropic-beta`, `openai-beta`, `openai-organization`…
   */
  readonly relayed: Readonly<Record<string, string>>;
  /** `model` as the client wrote it. */
  readonly model: string;
  readonly stream: boolean;
  /** The parsed body: open, as the client sent it. */
  readonly body: JsonObject;
  /** The bytes that `body` was parsed from: what is not patched reaches the upstream from here. */
  readonly raw: Uint8Array;
  /** A target that the client pinned with `x-hive-target`, or null. */
  readonly pinned: string | null;
  /** Milliseconds that the client allows in all (`x-hive-timeout-ms`), or null. */
  readonly timeout_ms: number | null;
}

/** What a plugin wants changed of a call. Absent keys leave things as they are. */
export interface CallPatch {
  /**
   * Top-level body fields to set; null removes one. All other bytes reach the upstream untouched.
   */
  readonly body?: { readonly [field: string]: Json };
  /** Targets in the order in which they are to be tried; the first is the choice. */
  readonly targets?: readonly string[];
  /** The adapter to ask the engine for; null asks for none. */
  readonly adapter?: string | null;
  /** An answer instead of a call to any upstream; later plugins' onRequest do not run. */
  readonly reply?: Reply;
}

export interface Reply {
  /** Of 200 to 599 one that has a body: not 204, 205 or 304. */
  readonly status: number;
  /** Sent as JSON in the client's dialect. */
  readonly body: JsonObject;
}

/** One try at one target. */
export interface Attempt {
  readonly target: string;
  readonly outcome: 'ok' | 'error' | 'aborted';
  /** The error's code in the table, or null. */
  readonly error: string | null;
  readonly ttft_ms: number | null;
  readonly ms: number;
  /**
   * What the provider reported of an answer that the client did not get, and what it cost by the
   * policy's prices (null without one); both absent where it reported nothing.
   */
  readonly tokens?: Tokens;
  readonly cost_usd?: number | null;
}

/** A whole answer on its way out, in the dialect of the call's endpoint. */
export interface CallResponse {
  readonly status: number;
  readonly target: string;
  readonly body: JsonObject;
}

/** What became of a call; what `onRequestEnd` sees and the event records. */
export interface Outcome {
  readonly outcome: 'ok' | 'error' | 'aborted' | 'rejected';
  readonly status: number;
  readonly error: string | null;
  readonly served: string | null;
  readonly attempts: readonly Attempt[];
  readonly ttft_ms: number | null;
  readonly latency_ms: number;
  readonly tokens: Tokens;
  /**
   * Of all that was paid for, by the policy's prices; null where one of its targets has none, or
   * nobody reported anything.
   */
  readonly cost_usd: number | null;
  readonly finish: string | null;
}

export interface Tokens {
  readonly in: number;
  /** Of `in`: read from the provider's cache. */
  readonly cached: number;
  /** Of `in`: written to the cache; absent where nothing was. */
  readonly written?: number;
  /** Of `written`: to a cache that keeps it for an hour. */
  readonly written_1h?: number;
  readonly out: number;
  /** True where the upstream reported no usage and the counts are estimates. */
  readonly estimated: boolean;
}

/**
 * What a plugin chose: recorded with its probabilities, so that a propensity cannot be forgotten.
 * `intended` is the choice before options that health excluded were taken out.
 */
export interface Decision {
  readonly name: string;
  readonly options: readonly string[];
  readonly probabilities: readonly number[];
  readonly chosen: string;
  readonly intended: string;
  readonly forced?: 'only' | 'pin' | 'health' | 'cache' | 'fallback';
  /** The category whose probabilities these are, where they depend on it. */
  readonly category?: string;
  /** What of the call they depend on, where they do: see `encodeFeatures`. */
  readonly features?: string;
}

/** A remark for the client: what was dropped or degraded, and why. Becomes `x-hive-notes`. */
export interface Note {
  readonly subject: string;
  readonly reason: string;
}
