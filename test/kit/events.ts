import type { CallEvent, FeedbackEvent, JournalRecord } from '../../src/core/event.ts';
import type { TailBatch } from '../../src/core/journal.ts';

/** 2026-01-01T00:00Z: the start of an hour and of a day. */
export const NOON_MS = 1_767_225_600_000;

/** A successful call of a client; a test names only what matters to it. */
export function callEvent(id: string, over: Partial<CallEvent> = {}): CallEvent {
  return {
    type: 'call',
    v: 1,
    id,
    request_id: `req_${id}`,
    completion_id: `cmpl_${id}`,
    at_ms: NOON_MS,
    tenant: 'default',
    key: 'open',
    agent: 'default',
    unit: 'u:1',
    user: null,
    session: null,
    parent: null,
    relation: null,
    version: 'v1',
    experiment: null,
    arm: null,
    share: null,
    decisions: [],
    intended: 'demo',
    served: 'demo',
    adapter: null,
    attempts: [{ target: 'demo', outcome: 'ok', error: null, ttft_ms: 5, ms: 10 }],
    ttft_ms: 5,
    latency_ms: 10,
    tokens: { in: 3, cached: 0, out: 4, estimated: false },
    cost_usd: null,
    outcome: 'ok',
    arm_error: false,
    finish: 'stop',
    markers: [],
    origin: 'client',
    ...over,
  };
}

/** A rating of 1 that names nothing. */
export function feedbackEvent(id: string, over: Partial<FeedbackEvent> = {}): FeedbackEvent {
  return {
    type: 'feedback',
    v: 1,
    id,
    at_ms: NOON_MS + 1000,
    tenant: 'default',
    rater: 'rater',
    call: null,
    completion_id: null,
    request_id: null,
    session: null,
    agent: null,
    key: 'open',
    matched: 'pending',
    signal: 'rating',
    value: 1,
    text: null,
    channel: 'api',
    idempotency: null,
    ...over,
  };
}

/** What makes a feedback event a rating of a call, so many milliseconds after it. */
export function saidOf(call: CallEvent, value: number, after_ms: number): Partial<FeedbackEvent> {
  const { id, at_ms, unit: rater, agent } = call;
  return { at_ms: at_ms + after_ms, rater, call: id, agent, matched: 'call', value };
}

/** Records as the tail would hand them over. */
export function batchOf(...records: readonly JournalRecord[]): TailBatch {
  return {
    records: records.map((record, offset) => ({ segment: 'g0-test-1.log', offset, record })),
    dead: [],
    cursors: [],
  };
}
