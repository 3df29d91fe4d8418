import { LRUCache } from 'lru-cache';
import CircuitBreaker from 'opossum';
import type { Target } from '../config/snapshot.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Resilience } from '../core/policy.ts';

type BreakerPolicy = Resilience['breaker'];

/**
 * What is known of targets beyond the policy: who answers, and how many calls each has in hand.
 * Kept across swaps by provider address and model, because a tuned threshold must not make a dead
 * target look well.
 */
export interface Targets {
  /** Whether it can be asked now: its engine is up and its breaker would let a call through. */
  healthy(target: Target, policy: BreakerPolicy): boolean;
  /**
   * Takes a place at a target, or null where its breaker refuses: a dead one is asked by one probe
   * at a time. `force` asks it anyway, for a call that has nobody else to ask.
   */
  admit(target: Target, policy: BreakerPolicy, force: boolean): Ticket | null;
  state(target: Target): { readonly breaker: BreakerState; readonly in_flight: number };
  close(): void;
}

export type BreakerState = 'closed' | 'open' | 'half-open' | 'absent';

export interface Ticket {
  /** The target has begun to answer: enough to close a half-open breaker. */
  answering(): void;
  /** Exactly once. `neutral` says nothing of the target: the client left, or made the mistake. */
  settle(result: 'ok' | 'failed' | 'neutral'): void;
}

interface Live {
  breaker: CircuitBreaker<[Promise<void>], void>;
  policy: BreakerPolicy;
  in_flight: number;
}

const WINDOW_MS = 10_000;
/** Kept at once; an engine that restarts on another port leaves its old address behind. */
const TARGETS_MAX = 512;

export function createTargets(metrics: Metrics): Targets {
  const all = new LRUCache<string, Live>({
    max: TARGETS_MAX,
    dispose: (live, _key, reason) => {
      if (reason !== 'set') live.breaker.shutdown();
    },
  });

  const liveOf = (target: Target, policy: BreakerPolicy): Live => {
    const key = keyOf(target);
    const known = all.get(key);
    if (known?.policy === policy) return known;
    const live = known ?? { in_flight: 0, policy, breaker: createBreaker(target, policy, metrics) };
    if (known && !samePolicy(known.policy, policy)) {
      live.breaker = createBreaker(target, policy, metrics, known.breaker);
    }
    live.policy = policy;
    all.set(key, live);
    return live;
  };

  return {
    healthy(target, policy) {
      if (isAbsent(target)) return false;
      const { breaker } = liveOf(target, policy);
      return breaker.closed || breaker.pendingClose;
    },
    admit(target, policy, force) {
      const live = liveOf(target, policy);
      const { breaker } = live;
      if (!force && !breaker.closed && !breaker.pendingClose) return null;
      return takePlace(live);
    },
    state(target) {
      const live = all.get(keyOf(target));
      const breaker = isAbsent(target) ? 'absent' : stateOf(live?.breaker);
      return { breaker, in_flight: live?.in_flight ?? 0 };
    },
    close() {
      all.clear();
    },
  };
}

/** An embedded engine that is not up yet has no address. */
export function isAbsent(target: Target): boolean {
  return target.provider.base_url === '';
}

function keyOf(target: Target): string {
  return `${target.provider.base_url} ${target.model}`;
}

function samePolicy(left: BreakerPolicy, right: BreakerPolicy): boolean {
  return (
    left.errors === right.errors &&
    left.calls_min === right.calls_min &&
    left.open_ms === right.open_ms
  );
}

function stateOf(breaker: Live['breaker'] | undefined): BreakerState {
  if (!breaker || breaker.closed) return 'closed';
  return breaker.opened ? 'open' : 'half-open';
}

function createBreaker(
  target: Target,
  policy: BreakerPolicy,
  metrics: Metrics,
  former?: Live['breaker'],
): Live['breaker'] {
  const past = former?.toJSON();
  former?.shutdown();
  const breaker = new CircuitBreaker<[Promise<void>], void>((work) => work, {
    timeout: false,
    errorThresholdPercentage: policy.errors * 100,
    volumeThreshold: policy.calls_min,
    resetTimeout: policy.open_ms,
    rollingCountTimeout: WINDOW_MS,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    ...(past ? { state: past.state, status: past.status as unknown as CircuitBreaker.Status } : {}),
  });
  const tell = (open: boolean) => metrics.set('hive_breaker_open', open ? 1 : 0, [target.name]);
  breaker.on('open', () => tell(true));
  breaker.on('close', () => tell(false));
  return breaker;
}

/** opossum judges promises; a place is one that its holder settles. */
function takePlace(live: Live): Ticket {
  const { breaker } = live;
  let open = true;
  let judged = false;
  const work = Promise.withResolvers<void>();
  const forced = !breaker.closed && !breaker.pendingClose;
  if (!forced) breaker.fire(work.promise).catch(() => {});
  live.in_flight += 1;

  const judge = (ok: boolean): void => {
    if (forced) {
      if (ok) breaker.close();
    } else if (!judged) {
      if (ok) work.resolve();
      else work.reject(new Error('the attempt failed'));
    } else if (!ok) {
      // Judged well at its first byte and cut later: a failure of its own.
      breaker.fire(Promise.reject(new Error('the answer was cut'))).catch(() => {});
    }
    judged = true;
  };

  return {
    answering() {
      if (open && !judged && (forced || breaker.halfOpen)) judge(true);
    },
    settle(result) {
      if (!open) return;
      open = false;
      live.in_flight -= 1;
      if (result !== 'neutral') return judge(result === 'ok');
      if (judged || forced) return;
      // A probe that says nothing must not close the breaker: it waits for the next one.
      if (breaker.halfOpen) breaker.open();
      work.resolve();
    },
  };
}
