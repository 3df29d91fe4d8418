import { LRUCache } from 'lru-cache';
import type { Target } from '../../config/snapshot.ts';
import type { Resilience } from '../../core/policy.ts';
import type { LiveFigures } from '../../core/routing/live-figures.ts';
import type { TargetReport } from '../../core/state.ts';
import type { UpstreamHeaders } from '../upstream/upstream.ts';
import type { BreakerPolicy } from './breaker.ts';
import type { Waiting } from './gate.ts';
import {
  type Admission,
  type LiveDeps,
  LiveTarget,
  type Standing,
  type Ticket,
} from './live-target.ts';

/**
 * What is known of targets beyond the policy: who answers, who must be left alone for a while, and
 * how many calls each has in hand. Kept across swaps by provider address and model, because a tuned
 * threshold must not make a dead target look well.
 */
export interface Targets {
  /** Whether it can be asked now: its engine is up and its breaker would let a call through. */
  healthy(target: Target, policy: BreakerPolicy): boolean;
  standing(target: Target, policy: Resilience): Standing;
  /** Failures since it last did well: the least of them is the least bad of open targets. */
  failures(target: Target, policy: Resilience): number;
  /** A call went elsewhere because this one's breaker is open. */
  passOver(target: Target, policy: Resilience): void;
  /**
   * Takes a place at a target, or null where its breaker refuses, its limit is reached, or its
   * provider wants to be left alone.
   */
  admit(target: Target, policy: Resilience, admission?: Admission): Ticket | null;
  /** Stands in line for a place; null where the line is full. */
  wait(target: Target, policy: Resilience, left_ms: number): Waiting | null;
  /** Its provider limits us, for so long if it said so. */
  limit(target: Target, policy: Resilience, retry_after_s: number | null): void;
  /** Its provider does not know its model: for a while others are asked first. */
  setAside(target: Target): void;
  /** Milliseconds until a limited one may be asked again. */
  limited_ms(target: Target): number;
  /** Whether an operator should be told now of what is wrong with it: once a minute. */
  alarm(target: Target): boolean;
  state(target: Target): TargetReport;
  /** Calls in its hands; a whole report would cost a call too much. */
  inFlight(target: Target): number;
  /** How it has done of late, or null where nobody has asked it yet. */
  figures(target: Target): LiveFigures | null;
  /** What an answer's headers say of its provider's limits. */
  readLimits(target: Target, headers: UpstreamHeaders): void;
  close(): void;
}

/** Kept at once; an engine that restarts on another port leaves its old address behind. */
const TARGETS_MAX = 512;

export function createTargets(deps: LiveDeps): Targets {
  const all = new LRUCache<string, LiveTarget>({
    max: TARGETS_MAX,
    dispose: (live) => live.close(),
  });
  /** What a target object was found to be: several look-ups a call, and a key is long. */
  const found = new WeakMap<Target, { readonly base_url: string; readonly live: LiveTarget }>();
  const known = (target: Target): LiveTarget | undefined => {
    const { base_url } = target.provider;
    const last = found.get(target);
    if (last && last.base_url === base_url && !last.live.closed) return last.live;
    const live = all.get(keyOf(target));
    if (live) found.set(target, { base_url, live });
    return live;
  };
  const liveOf = (target: Target, policy: BreakerPolicy): LiveTarget => {
    const live = known(target);
    if (live) {
      live.breaker.tune(policy);
      return live;
    }
    const made = new LiveTarget(target.name, policy, deps);
    all.set(keyOf(target), made);
    return made;
  };

  return {
    healthy: (target, policy) => !isAbsent(target) && liveOf(target, policy).breaker.ready,
    standing(target, { breaker, overload }) {
      return isAbsent(target) ? 'absent' : liveOf(target, breaker).standing(target, overload);
    },
    failures: (target, { breaker }) => liveOf(target, breaker).breaker.failures,
    passOver: (target, { breaker }) => liveOf(target, breaker).breaker.passOver(),
    admit(target, { breaker, overload }, admission = PLAIN) {
      return liveOf(target, breaker).admit(target, overload, admission);
    },
    wait(target, { breaker, overload }, left_ms) {
      return liveOf(target, breaker).wait(target, overload, left_ms);
    },
    limit(target, { breaker, retry }, retry_after_s) {
      liveOf(target, breaker).limit(retry_after_s, retry);
      deps.metrics.add('hive_rate_limited_total', [target.name]);
    },
    limited_ms: (target) => known(target)?.limited_ms ?? 0,
    setAside: (target) => known(target)?.setAside(),
    alarm: (target) => known(target)?.alarm() ?? false,
    state(target) {
      const report = known(target)?.report(target) ?? {
        ...IDLE,
        limit: target.in_flight,
      };
      return isAbsent(target) ? { ...report, breaker: 'absent' } : report;
    },
    inFlight: (target) => known(target)?.in_flight ?? 0,
    figures: (target) => known(target)?.figures ?? null,
    readLimits: (target, headers) => known(target)?.headroom.read(headers, deps.monotonic_ms()),
    close: () => all.clear(),
  };
}

const PLAIN: Admission = { force: false };
const IDLE = { breaker: 'closed', in_flight: 0, limited: false, queue: 0 } as const;

/** An embedded engine that is not up yet has no address. */
export function isAbsent(target: Target): boolean {
  return target.provider.base_url === '';
}

function keyOf(target: Target): string {
  return `${target.provider.base_url} ${target.model}`;
}
