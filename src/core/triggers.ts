import type { TriggerPolicy } from './policy.ts';
import { logMeanExp } from './sequential.ts';

/**
 * The seed's hard triggers, made safe (notes on statistics §2.3; docs/oracle.md). The gateway runs
 * them on a canary's calls as they end, so that a dead worker cannot disable rollback, and the
 * worker runs the same code. A rollback is cheap, so these may fire a little early; the relative
 * tests of the monitor are what separates a bad change from a bad day.
 */
export interface TriggerState {
  /** The last outcomes, newest last: 1 is an error. */
  errors: number[];
  /** The last latencies in real milliseconds, newest last. */
  latencies: number[];
  /** ln of the e-process against "the error rate is at most 5 %". */
  evidence_ln: number;
  /** Who complained, and when (policy milliseconds). */
  complaints: Map<string, number>;
  /** ln of the product of ratios, one for each alternative. */
  logs: number[];
}

const ERROR_WINDOW = 100;
const ERROR_MIN = 30;
const LATENCY_WINDOW = 400;
/** Below 72 values no order statistic bounds a 95th percentile from below at 95 %. */
const LATENCY_MIN = 72;
const ERROR_RATE_TOLERATED = 0.05;
const EVIDENCE_LN_LIMIT = Math.log(1 / 0.01);
/** The alternatives that the e-process averages over. */
const ALTERNATIVES = [0.1, 0.15, 0.2, 0.3, 0.5, 0.75];
const COMPLAINERS_MAX = 1000;

export function createTriggerState(): TriggerState {
  return {
    errors: [],
    latencies: [],
    evidence_ln: 0,
    complaints: new Map(),
    logs: ALTERNATIVES.map(() => 0),
  };
}

export function observeOutcome(state: TriggerState, error: boolean, latency_ms: number): void {
  pushBounded(state.errors, error ? 1 : 0, ERROR_WINDOW);
  pushBounded(state.latencies, latency_ms, LATENCY_WINDOW);
  for (const [index, rate] of ALTERNATIVES.entries()) {
    const ratio = error ? rate / ERROR_RATE_TOLERATED : (1 - rate) / (1 - ERROR_RATE_TOLERATED);
    state.logs[index] = (state.logs[index] ?? 0) + Math.log(ratio);
  }
  state.evidence_ln = Math.max(state.evidence_ln, logMeanExp(state.logs));
}

export function observeComplaint(state: TriggerState, rater: string, at_ms: number): void {
  if (state.complaints.size >= COMPLAINERS_MAX && !state.complaints.has(rater)) return;
  state.complaints.set(rater, at_ms);
}

/** The reason why a hard trigger has fired, or null. */
export function trippedBy(
  state: TriggerState,
  policy: TriggerPolicy,
  now_ms: number,
): string | null {
  return (
    errorReason(state, policy) ??
    slowReason(state, policy) ??
    complaintReason(state, policy, now_ms)
  );
}

function errorReason(state: TriggerState, policy: TriggerPolicy): string | null {
  const n = state.errors.length;
  const rate = state.errors.reduce((sum, error) => sum + error, 0) / Math.max(1, n);
  if (n >= ERROR_MIN && rate > policy.error_rate) {
    const limit = percent(policy.error_rate);
    return `error rate ${percent(rate)} of the last ${n} calls is above ${limit}`;
  }
  if (state.evidence_ln < EVIDENCE_LN_LIMIT) return null;
  return `error rate is above ${percent(ERROR_RATE_TOLERATED)} (sequential test, α 1 %)`;
}

function slowReason(state: TriggerState, policy: TriggerPolicy): string | null {
  const bound = percentileLowerBound(state.latencies, 0.95);
  if (bound === null || bound <= policy.response_time_ms) return null;
  return `p95 is above ${policy.response_time_ms} ms: at least ${Math.round(bound)} ms at 95 %`;
}

function complaintReason(
  state: TriggerState,
  policy: TriggerPolicy,
  now_ms: number,
): string | null {
  const since_ms = now_ms - policy.complaints.window_minutes * 60_000;
  let users = 0;
  for (const [rater, at_ms] of state.complaints) {
    if (at_ms < since_ms) state.complaints.delete(rater);
    else users += 1;
  }
  if (users <= policy.complaints.count) return null;
  return `${users} users complained within ${policy.complaints.window_minutes} minutes`;
}

/**
 * A lower 95 % confidence bound of a percentile by order statistics: the largest value whose rank
 * the binomial distribution puts below the percentile with probability ≥ 95 %. Null below 72
 * values.
 */
export function percentileLowerBound(values: readonly number[], p: number): number | null {
  const n = values.length;
  if (n < LATENCY_MIN) return null;
  const sorted = [...values].sort((left, right) => left - right);
  const rank = Math.floor(n * p - 1.645 * Math.sqrt(n * p * (1 - p)));
  return sorted[Math.max(0, rank - 1)] ?? null;
}

function pushBounded(values: number[], value: number, most: number): void {
  values.push(value);
  if (values.length > most) values.shift();
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)} %`;
}
