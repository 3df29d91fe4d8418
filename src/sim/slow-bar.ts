/** Below 72 values no order statistic bounds a 95th percentile. */
const LATENCIES_MIN = 72;

/** Above which latency a call is slow: max(1.25 × p95, p95 + 50 ms); null where data is short. */
export function p95Bar(latencies: readonly number[]): number | null {
  if (latencies.length < LATENCIES_MIN) return null;
  const sorted = [...latencies].sort((left, right) => left - right);
  const at = 0.95 * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0];
  const p95 = low + (high - low) * (at - Math.floor(at));
  return Math.max(1.25 * p95, p95 + 50);
}
