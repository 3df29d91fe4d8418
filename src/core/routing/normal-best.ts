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
  const active: Arm[] = [];
  for (let k = 0; k < n; k += 1) {
    const mean = means[k] as number;
    const deviation = Math.max(deviations[k] as number, 1e-9);
    // Hopeless arms get nothing, and cost nothing.
    if (mean + REACH * deviation <= low) continue;
    active.push({ k, mean, scale: 1 / deviation, before: normalCdf((low - mean) / deviation) });
  }
  integrate(active, low, (high - low) / POINTS, out);
  let total = 0;
  for (let k = 0; k < n; k += 1) total += out[k] as number;
  for (let k = 0; k < n; k += 1) out[k] = (out[k] as number) / total;
  return out;
}

interface Arm {
  readonly k: number;
  readonly mean: number;
  /** 1 / deviation. */
  readonly scale: number;
  /** Φ at the beginning of the slice. */
  before: number;
}

function integrate(arms: readonly Arm[], low: number, step: number, out: Float64Array): void {
  const middle = new Float64Array(arms.length);
  for (let point = 0; point < POINTS; point += 1) {
    const from = low + point * step;
    let all = 1;
    for (let index = 0; index < arms.length; index += 1) {
      const { mean, scale } = arms[index] as Arm;
      const phi = normalCdf((from + step / 2 - mean) * scale);
      middle[index] = phi;
      all *= phi;
    }
    for (let index = 0; index < arms.length; index += 1) {
      const arm = arms[index] as Arm;
      const after = normalCdf((from + step - arm.mean) * arm.scale);
      const mass = after - arm.before;
      arm.before = after;
      if (mass < 1e-9) continue;
      // Of an arm narrower than a slice the mass is at its mean, wherever that is in the slice.
      const narrow = arm.scale * step > 2;
      const phi = middle[index] as number;
      const others = narrow || phi < 1e-12 ? othersBelow(arms, arm, from, step) : all / phi;
      out[arm.k] = (out[arm.k] as number) + mass * others;
    }
  }
}

function othersBelow(arms: readonly Arm[], arm: Arm, from: number, step: number): number {
  const at = Math.min(Math.max(arm.mean, from), from + step);
  let others = 1;
  for (const { k, mean, scale } of arms) if (k !== arm.k) others *= normalCdf((at - mean) * scale);
  return others;
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
