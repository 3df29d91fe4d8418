import type { Target } from '../config/snapshot.ts';
import type { Call } from '../core/call.ts';
import type { AnswerFacts, UpstreamFailure } from '../core/provider.ts';
import { type AttemptResult, startAttempt } from '../gateway/upstream/attempt.ts';
import { createUpstream } from '../gateway/upstream/create-upstream.ts';
import { failed } from '../gateway/upstream/failures.ts';
import type { LiveStream } from '../gateway/upstream/live-stream.ts';
import type { Upstream } from '../gateway/upstream/upstream.ts';
import { plain } from './text.ts';

/** What one small streamed call to a target came to. */
export interface Probed {
  readonly target: Target;
  /** Why it does not answer, or null where it does. */
  readonly failure: UpstreamFailure | null;
  /** Null where nothing was asked: the engine of an embedded model runs only with the product. */
  readonly answered: {
    /** Until its first words; null where its few tokens were over before. */
    readonly first_ms: number | null;
    readonly model: string | null;
    readonly counted: boolean;
  } | null;
}

/** How long a probe waits, and longer only where a target's first token may take longer. */
const PROBE_MS = 15_000;
/** Room enough for a model that thinks before its first word. */
const ANSWER_TOKENS = 64;

/** Calls each target once, all at the same time, exactly as the gateway would. */
export async function probeTargets(targets: readonly Target[]): Promise<readonly Probed[]> {
  const upstream = createUpstream();
  const probed = await Promise.all(targets.map((target) => probe(target, upstream)));
  await upstream.close();
  return probed;
}

async function probe(given: Target, upstream: Upstream): Promise<Probed> {
  if (given.provider.base_url === '') return { target: given, failure: null, answered: null };
  const wait_ms = Math.max(PROBE_MS, given.timeouts.first_token_ms);
  const total_ms = Math.min(given.timeouts.total_ms, wait_ms);
  const target: Target = { ...given, timeouts: { ...given.timeouts, total_ms } };
  const begun_ms = performance.now();
  const call = probeCall(target);
  const request = target.provider.encode({
    call,
    model: target.model,
    patch: {},
    adapter: null,
    include_usage: true,
  });
  const late = failed('upstream_timeout', `It did not answer within ${total_ms / 1000} s.`);
  const running = startAttempt(upstream, {
    target,
    endpoint: call.endpoint,
    stream: true,
    created_s: Math.floor(call.at_ms / 1000),
    call_id: call.id,
    include_usage: true,
    adapter: null,
    request,
    left_ms: total_ms,
    late,
  });
  const result = await running.result;
  if (result.kind === 'failed') return { target, failure: result.failure, answered: null };
  const { failure, facts, first_ms } = await readThrough(result);
  if (failure) return { target, failure, answered: null };
  const { model = null, tokens = null } = facts;
  const waited_ms = first_ms === null ? null : first_ms - begun_ms;
  return {
    target,
    failure: null,
    answered: { first_ms: waited_ms, model, counted: tokens !== null },
  };
}

interface Read {
  readonly failure: UpstreamFailure | null;
  readonly facts: Partial<AnswerFacts>;
  /** When the first content came. */
  readonly first_ms: number | null;
}

async function readThrough(result: Exclude<AttemptResult, { kind: 'failed' }>): Promise<Read> {
  if (result.kind === 'whole') return { failure: null, facts: result.facts, first_ms: null };
  return readStream(result.stream);
}

function readStream(stream: LiveStream): Promise<Read> {
  const { promise, resolve } = Promise.withResolvers<Read>();
  let facts: Partial<AnswerFacts> = {};
  let first_ms: number | null = null;
  stream.attach({
    onChunks(chunks) {
      for (const chunk of chunks) {
        facts = { ...facts, ...chunk.facts };
        if (chunk.content) first_ms ??= performance.now();
      }
    },
    onEnd: (failure) => resolve({ failure, facts, first_ms }),
  });
  return promise;
}

function probeCall(target: Target): Call {
  const body = {
    model: target.model,
    messages: [{ role: 'user', content: 'Say hello in one word.' }],
    max_completion_tokens: ANSWER_TOKENS,
    stream: true,
    stream_options: { include_usage: true },
  };
  return {
    id: 'call_probe',
    request_id: 'probe',
    at_ms: Date.now(),
    tenant: 'default',
    key: 'probe',
    agent: 'probe',
    unit: 'r:probe',
    user: null,
    session: null,
    endpoint: 'chat.completions',
    relayed: {},
    model: target.model,
    stream: true,
    body,
    raw: Buffer.from(JSON.stringify(body)),
    pinned: target.name,
    timeout_ms: null,
  };
}

/** A line for each target: whether it answers, how fast, and what it can be asked for. */
export function probeReport(probed: readonly Probed[]): string {
  return probed.map((one) => plain(`target ${one.target.name}: ${lineOf(one)}`)).join('\n');
}

function lineOf({ target, failure, answered }: Probed): string {
  if (failure) return `fails (${failure.class}): ${failure.message}`;
  if (!answered) return 'not probed: its engine runs only while the product does';
  const { model, first_ms, counted } = answered;
  const { endpoints, adapters } = target.provider;
  const words =
    first_ms === null
      ? `no words within ${ANSWER_TOKENS} tokens`
      : `first words after ${Math.round(first_ms)} ms`;
  return [
    `answers as ${model ?? target.model}, ${words}`,
    counted ? 'streams and counts tokens' : 'streams, but counts no tokens: they are estimated',
    `takes ${endpoints.join(', ')}`,
    ...(adapters.length > 0 ? [`adapters ${adapters.join(', ')}`] : []),
  ].join('; ');
}
