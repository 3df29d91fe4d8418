import type { CallEvent } from '../../src/core/event.ts';
import { callEvent as clientCall } from '../kit/events.ts';

/** The event of a session's ordinary call, with what a test cares about laid over it. */
export function callEvent(over: Partial<CallEvent> = {}): CallEvent {
  return clientCall('call_1', {
    request_id: 'req_1',
    completion_id: null,
    at_ms: 0,
    agent: 'helper',
    unit: 's:one',
    version: 'v',
    attempts: [],
    ttft_ms: 1,
    latency_ms: 2,
    tokens: { in: 1, cached: 0, out: 1, estimated: false },
    ...over,
  });
}
