import { type GatewayError, toGatewayError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Chunk } from '../core/plugin.ts';
import type { DecodedChunk, UpstreamFailure } from '../core/provider.ts';
import { sseData } from '../core/sse-event.ts';
import { errorBody } from './error-body.ts';
import { errorOf } from './failures.ts';
import { type HookRun, hasChunkHooks, runChunkHooks } from './hooks.ts';
import { addFacts, proveAdapter } from './progress.ts';
import { beginStream, type Exchange } from './respond.ts';
import { DONE_EVENT, encodeEvent } from './sse.ts';
import type { Dispatched } from './try-target.ts';

export interface Relayed {
  readonly outcome: 'ok' | 'error' | 'aborted';
  readonly error: GatewayError | null;
}

type Streaming = Extract<Dispatched, { kind: 'stream' }>;

/**
 * Passes a stream on, event by event, as its bytes came, unless a plugin wants to see them. Clients
 * read a silent end as success, so an answer that broke off gets an error event and no `[DONE]`;
 * one that is complete but lacks it gets it.
 */
export function relay(
  run: HookRun,
  exchange: Exchange,
  streaming: Streaming,
  metrics: Metrics,
): Promise<Relayed> {
  const { response, client } = exchange;
  const { stream, target } = streaming;
  const { promise, resolve } = Promise.withResolvers<Relayed>();
  const asked = asksForUsage(run.call.body.stream_options);
  let over = false;
  let done = false;

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
    response.end(encodeEvent(errorBody(error)));
    finish({ outcome: failure ? 'error' : 'aborted', error }, failure);
  };

  client.onGone(() => {
    stream.abandon();
    finish({ outcome: 'aborted', error: null }, null);
  });
  if (over) return promise;

  stream.attach({
    onChunks(chunks) {
      for (const chunk of chunks) observe(run, exchange, chunk, target.name, metrics);
      if (!response.headersSent) {
        proveAdapter(run.progress);
        beginStream(exchange);
      }
      try {
        const events = chunks.flatMap((chunk) => passOn(run, chunk, asked) ?? []);
        done ||= chunks.some((chunk) => chunk.done);
        if (events.length > 0) write(exchange, stream, joined(events));
      } catch (thrown) {
        stream.abandon();
        breakOff(toGatewayError(thrown), null);
      }
    },
    onEnd(failure) {
      if (over) return;
      if (failure) return breakOff(errorOf(failure), failure);
      response.end(done ? undefined : DONE_EVENT);
      finish({ outcome: 'ok', error: null }, null);
    },
  });
  return promise;
}

function asksForUsage(options: unknown): boolean {
  return (options as { include_usage?: unknown } | null | undefined)?.include_usage === true;
}

/** What the record, the headers and the metrics want to know of a chunk, whoever gets to see it. */
function observe(
  { progress }: HookRun,
  exchange: Exchange,
  chunk: DecodedChunk,
  target: string,
  metrics: Metrics,
): void {
  addFacts(progress, chunk.facts);
  if (!chunk.content) return;
  progress.pieces += 1;
  if (progress.ttft_ms !== null) return;
  progress.ttft_ms = exchange.monotonic_ms() - progress.started_ms;
  metrics.observe('hive_first_token_seconds', progress.ttft_ms / 1000, [target]);
}

/**
 * The bytes to send for a chunk, or null to send none. Throws where a plugin must not be bypassed.
 */
function passOn(run: HookRun, chunk: DecodedChunk, asked: boolean): Uint8Array | null {
  // Usage is asked for on our own account: who did not ask for it gets a stream without it.
  if (chunk.event === null || (chunk.usage_only && !asked)) return null;
  if (chunk.done || !hasChunkHooks(run)) return chunk.event;
  const data = sseData(chunk.event);
  if (data === null) return chunk.event;
  const parsed = JSON.parse(data) as Chunk;
  const reduced = runChunkHooks(run, parsed);
  if (reduced === null) return null;
  return reduced === parsed ? chunk.event : encodeEvent(reduced);
}

function write(exchange: Exchange, stream: Streaming['stream'], bytes: Uint8Array): void {
  const { response } = exchange;
  if (response.write(bytes)) return;
  // A slow client slows its upstream down; nothing piles up here.
  stream.pause();
  response.once('drain', () => stream.resume());
}

function joined(events: readonly Uint8Array[]): Uint8Array {
  return events.length === 1 ? (events[0] as Uint8Array) : Buffer.concat(events);
}
