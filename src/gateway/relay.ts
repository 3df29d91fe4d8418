import type { Endpoint } from '../core/call.ts';
import type { Json } from '../core/canonical.ts';
import { type GatewayError, toGatewayError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Chunk } from '../core/plugin.ts';
import type { DecodedChunk, UpstreamFailure } from '../core/provider.ts';
import { sseData } from '../core/sse-event.ts';
import type { CallDeps } from './conclude.ts';
import { type HookRun, hasChunkHooks, runChunkHooks } from './hooks/hooks.ts';
import { addFacts, microseconds, proveAdapter } from './hooks/progress.ts';
import { beginStream, type Exchange, limitStall, stopped } from './respond.ts';
import { DONE, type StreamDialect, streamDialect } from './stream-dialect.ts';
import type { Dispatched } from './try-target.ts';
import { errorOf } from './upstream/failures.ts';
import { splitEvents } from './upstream/sse.ts';

export interface Relayed {
  readonly outcome: 'ok' | 'error' | 'aborted';
  readonly error: GatewayError | null;
}

type Streaming = Extract<Dispatched, { kind: 'stream' }>;

/** What of a call matters to its stream. */
export interface RelayedCall {
  readonly endpoint: Endpoint;
  /** As the client sent them. */
  readonly stream_options: Json | undefined;
  /** The plugins that may see each event; null where none may. */
  readonly hooks: HookRun | null;
}

/**
 * Passes a stream on, event by event, as its bytes came, unless a plugin wants to see them. Clients
 * read a silent end as success, so an answer that broke off gets an error event and no proper end;
 * one that is complete but lacks its end gets it.
 */
export function relay(
  { endpoint, stream_options, hooks }: RelayedCall,
  exchange: Exchange,
  streaming: Streaming,
  { metrics, brokeOff }: Pick<CallDeps, 'metrics' | 'brokeOff'>,
): Promise<Relayed> {
  const { response, client, progress } = exchange;
  const { stream, target } = streaming;
  const { promise, resolve } = Promise.withResolvers<Relayed>();
  const dialect = streamDialect(endpoint);
  const asked = !dialect.usage_extra || asksForUsage(stream_options);
  let over = false;
  let done = false;
  let sent = 0;
  const out = new Outlet(exchange, stream);

  const finish = (relayed: Relayed, failure: UpstreamFailure | null): void => {
    if (over) return;
    over = true;
    client.onGone(null);
    streaming.end(relayed.outcome, failure);
    resolve(relayed);
  };
  const breakOff = (error: GatewayError, failure: UpstreamFailure | null): void => {
    if (over) return;
    if (!response.headersSent) beginStream(exchange);
    out.end(dialect.errorEvent(error, exchange.request_id, sent));
    finish({ outcome: failure ? 'error' : 'aborted', error }, failure);
  };

  client.onGone(() => {
    stream.abandon();
    // Of a held answer more has come than was sent on.
    addFacts(progress, { tokens: stream.tokens });
    // A client that our own stop leaves is still there to be told.
    if (brokeOff() && response.headersSent) {
      out.end(dialect.errorEvent(stopped(), exchange.request_id, sent));
    }
    finish({ outcome: 'aborted', error: null }, null);
  });
  if (over) return promise;

  stream.attach({
    onChunks(chunks) {
      for (const chunk of chunks) observe(exchange, chunk, target.name, metrics);
      if (!response.headersSent) {
        proveAdapter(progress);
        beginStream(exchange);
      }
      try {
        for (const chunk of chunks) {
          done ||= chunk.done;
          if (out.write(passOn(hooks, chunk, dialect, asked))) sent += 1;
        }
      } catch (thrown) {
        stream.abandon();
        breakOff(toGatewayError(thrown), null);
      }
    },
    onEnd(failure) {
      if (over) return;
      // With `done` the upstream has told of its failure itself, in its dialect's own last event.
      if (failure && !done) return breakOff(errorOf(failure), failure);
      out.end(done ? undefined : dialect.end);
      const error = failure && errorOf(failure);
      finish({ outcome: error ? 'error' : 'ok', error }, failure);
    },
  });
  return promise;
}

function asksForUsage(options: unknown): boolean {
  return (options as { include_usage?: unknown } | null | undefined)?.include_usage === true;
}

/** What the record, the headers and the metrics want to know of a chunk, whoever gets to see it. */
function observe(
  { progress, clock }: Exchange,
  chunk: DecodedChunk,
  target: string,
  metrics: Metrics,
): void {
  addFacts(progress, chunk.facts);
  if (!chunk.content) return;
  progress.pieces += 1;
  if (progress.ttft_ms !== null) return;
  progress.ttft_ms = microseconds(clock.monotonic_ms() - progress.started_ms);
  metrics.observe('hive_first_token_seconds', progress.ttft_ms / 1000, [target]);
}

/**
 * The bytes to send for a chunk, or null to send none. Throws where a plugin must not be bypassed.
 */
function passOn(
  hooks: HookRun | null,
  chunk: DecodedChunk,
  dialect: StreamDialect,
  asked: boolean,
): Uint8Array | null {
  // Usage is asked for on our own account: who did not ask for it gets a stream without it.
  if (chunk.event === null || (chunk.usage_only && !asked)) return null;
  if (hooks === null || !hasChunkHooks(hooks)) return chunk.event;
  // A translated event may have become several.
  const events = splitEvents(chunk.event).flatMap((event) => reduced(hooks, event, dialect) ?? []);
  return events.length === 0 ? null : joined(events);
}

/** One event as the plugins leave it: its own bytes where they change nothing. */
function reduced(run: HookRun, event: Uint8Array, dialect: StreamDialect): Uint8Array | null {
  const data = sseData(event);
  if (data === null || data.trim() === DONE) return event;
  const parsed = JSON.parse(data) as Chunk;
  const changed = runChunkHooks(run, parsed);
  if (changed === null) return null;
  return changed === parsed ? event : dialect.chunkEvent(changed);
}

/** Events on their way to the client: those of one turn of the event loop go together. */
class Outlet {
  readonly #exchange: Exchange;
  readonly #stream: Streaming['stream'];
  #waiting: Uint8Array[] = [];
  readonly #flush = (): void => this.flush();

  constructor(exchange: Exchange, stream: Streaming['stream']) {
    this.#exchange = exchange;
    this.#stream = stream;
  }

  /** Whether there was anything to write. */
  write(event: Uint8Array | null): boolean {
    if (event === null) return false;
    if (this.#waiting.push(event) === 1) this.#exchange.turn.write(this.#flush);
    return true;
  }

  /** All that waits, then the answer's last bytes if it has any more, and its end. */
  end(last: Uint8Array | undefined): void {
    this.flush();
    limitStall(this.#exchange);
    const { response } = this.#exchange;
    if (last) response.end(last);
    else response.end();
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const bytes = joined(this.#waiting);
    this.#waiting = [];
    const { response } = this.#exchange;
    if (response.writableEnded || response.write(bytes)) return;
    // A slow client slows its upstream down; nothing piles up here.
    this.#stream.pause();
    limitStall(this.#exchange);
    response.once('drain', () => {
      if (!response.writableEnded) response.socket?.setTimeout(0);
      this.#stream.resume();
    });
  }
}

function joined(events: readonly Uint8Array[]): Uint8Array {
  return events.length === 1 ? (events[0] as Uint8Array) : Buffer.concat(events);
}
