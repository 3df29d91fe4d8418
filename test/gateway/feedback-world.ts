import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { Bus } from '../../src/events/bus.ts';
import { createPermits } from '../../src/gateway/canary/permits.ts';
import { hashIdentity } from '../../src/gateway/conversation/identity.ts';
import { createRecentCalls } from '../../src/gateway/conversation/recent.ts';
import { createFeedback } from '../../src/gateway/feedback/feedback.ts';
import { smallPolicy } from '../core/policy.ts';
import { createHandClock } from './hand-clock.ts';
import { createMemoryBus } from './memory-bus.ts';

const secret = new Uint8Array(32).fill(7);
/** As the gateway stores what a client calls its sessions and users. */
export const hashed = (value: string): string => hashIdentity(secret, 'default', value);

/** The feedback doors with all that stands behind them; only the clock and the disk are ours. */
export function world(options: { policy?: Policy; bus?: Bus } = {}) {
  const time = createHandClock();
  const memory = createMemoryBus();
  const bus = options.bus ?? memory;
  const policy = options.policy ?? smallPolicy;
  const shared = { clock: time.clock, log: silentLog, metrics: createMetrics(), bus };
  const triggers = () => policy.oracle.safety.rollback;
  const permits = createPermits({ ...shared, after: time.after, triggers });
  const recent = createRecentCalls({ max: 100, policy_ms: () => time.clock.policy_ms() });
  const feedback = createFeedback({ ...shared, secret, permits, recent, policy: () => policy });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    feedback.app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const events = () => memory.records.filter((record) => record.type === 'feedback');
  return { ...shared, ...feedback, memory, time, permits, recent, post, events };
}
