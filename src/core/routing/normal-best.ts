/** Points of the integral: right to 0.01, to 0.03 where deviations differ a hundredfold. */
const POINTS = 24;
const REACH = 3.5;

/**
 * The probability that each of n independent normal means is the highest, by quadrature instead of
 * draws: deterministic, adds up to 1, some 10 µs at 30 arms. Writes into `out` and returns it.
 *
 * P(k) = ∫ φ_k Π_{j≠k} Φ_j, as Σ over slices of ΔΦ_k Π_{j≠k} Φ_j(middle).
 */
export function normalBestProbabilities(
  means: Float64Array,
  deviations: Float64Array,
  out: Float64Array,
): Float64Array {
  const n = means.length;
  out.fill(0);
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < n; k += 1) {
    const mean = means[k] as number;
    const reach = REACH * Math.max(deviations[k] as number, 1e-9);
    low = Math.max(low, mean - reach);
    high = Math.max(high, mean + reach);
  }
  const step = (high - low) / POINTS;
  for (let k = 0; k < n; k += 1) {
    const mean = means[k] as number;
    const deviation = Math.max(deviations[k] as number, 1e-9);
    // Hopeless arms get nothing, and cost nothing.
    if (mean + REACH * deviation <= low) continue;
    addArm(k, { means, deviations, low, step }, out);
  }
  let total = 0;
  for (let k = 0; k < n; k += 1) total += out[k] as number;
  for (let k = 0; k < n; k += 1) out[k] = (out[k] as number) / total;
  return out;
}

interface Slices {
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  readonly low: number;
  readonly step: number;
}

function addArm(k: number, slices: Slices, out: Float64Array): void {
  const { means, deviations, low, step } = slices;
  const mean = means[k] as number;
  const scale = 1 / Math.max(deviations[k] as number, 1e-9);
  let before = normalCdf((low - mean) * scale);
  let sum = 0;
  for (let point = 0; point < POINTS; point += 1) {
    const at = low + (point + 1) * step;
    const after = normalCdf((at - mean) * scale);
    const mass = after - before;
    before = after;
    if (mass < 1e-9) continue;
    // Of an arm narrower than a slice the mass is at its mean.
    const middle = Math.min(Math.max(mean, at - step), at);
    const where = scale * step > 2 ? middle : at - step / 2;
    let others = 1;
    for (let j = 0; j < means.length; j += 1) {
      if (j === k) continue;
      const z = (where - (means[j] as number)) / Math.max(deviations[j] as number, 1e-9);
      if (z < REACH) others *= normalCdf(z);
      if (others < 1e-9) break;
    }
    sum += mass * others;
  }
  out[k] = sum;
}

/** Φ, within 7.5e-8 (Abramowitz and Stegun 26.2.17). */
export function normalCdf(z: number): number {
  if (z < -8) return 0;
  if (z > 8) return 1;
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const poly =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = 0.3989422804014327 * Math.exp(-0.5 * z * z) * poly;
  return z > 0 ? 1 - tail : tail;
}
