import { logMeanExp } from './sequential.ts';

/** Control units whose latencies are the yardstick; below 72 no p95 has an interval at 95 %. */
export const REFERENCE_UNITS = 72;

/** How far the canary's latencies may be shifted, in standard deviations, that the test bets on. */
const SHIFTS: readonly number[] = [0.25, 0.5, 1, 2];

/** Latencies of control, sorted, frozen; and the bar above which an answer is slow. */
export interface LatencyReference {
  readonly sorted: readonly number[];
  /** max(1.25 × p95, p95 + 50 ms), in ms. */
  readonly bar_ms: number;
}

export function freezeReference(latencies_ms: readonly number[]): LatencyReference {
  const sorted = [...latencies_ms].sort((left, right) => left - right);
  const p95 = sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
  return { sorted, bar_ms: Math.max(1.25 * p95, p95 + 50) };
}

/** The normal score of a latency's rank in the reference: about N(0, 1) where nothing changed. */
export function latencyScore({ sorted }: LatencyReference, latency_ms: number): number {
  const rank = (boundary(sorted, latency_ms, false) + boundary(sorted, latency_ms, true)) / 2;
  return normalQuantile((rank + 0.5) / (sorted.length + 1));
}

/** How many values are below the latency, or not above it. */
function boundary(sorted: readonly number[], latency_ms: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle] as number;
    if (value < latency_ms || (orEqual && value === latency_ms)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Evidence that the canary is slower as a whole. Each unit is bet on once: with q its share, z its
 * latency's score and w = exp(δ z − δ²/2) the likelihood ratio of a shift by δ, the factor is
 *
 *   w / (q w + 1 − q) in the canary,  1 / (q w + 1 − q) in control,
 *
 * averaged over shifts. Given time and latency, a unit of either arm is in the canary with
 * probability q, so this has mean 1 whatever the latencies do over time; and since w rises with z,
 * mean ≤ 1 for every canary whose latencies are stochastically no larger: an e-process against
 * "no slower". (Same argument as `evidenceLn`, with every unit an event of its own rank.)
 */
export interface LatencyEvidence {
  readonly logs: number[];
}

export function createLatencyEvidence(): LatencyEvidence {
  return { logs: SHIFTS.map(() => 0) };
}

export function observeScore(
  { logs }: LatencyEvidence,
  score: number,
  inCanary: boolean,
  q: number,
): void {
  for (const [index, shift] of SHIFTS.entries()) {
    const ln = shift * score - (shift * shift) / 2;
    logs[index] =
      (logs[index] as number) + (inCanary ? ln : 0) - Math.log(q * Math.exp(ln) + 1 - q);
  }
}

/** ln of the e-value. */
export function latencyEvidenceLn({ logs }: LatencyEvidence): number {
  return logMeanExp(logs);
}

/** Quantile of the standard normal; |error| < 4.5e-4 (Abramowitz and Stegun, 26.2.23). */
function normalQuantile(p: number): number {
  const tail = Math.min(p, 1 - p);
  const t = Math.sqrt(-2 * Math.log(tail));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  const z = t - above / below;
  return p < 0.5 ? -z : z;
}
