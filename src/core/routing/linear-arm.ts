/**
 * Bayesian linear regression of one arm's reward on features, kept by its inverse: an update is
 * Sherman and Morrison's formula, O(d²). For LinUCB (Li et al. 2010) and LinTS (Agrawal and Goyal
 * 2013).
 */
export interface LinearArm {
  readonly d: number;
  /** (λI + Σ x xᵀ)⁻¹, row by row. */
  readonly inverse: Float64Array;
  readonly weights: Float64Array;
  n: number;
}

export function createLinearArm(d: number, lambda: number): LinearArm {
  const inverse = new Float64Array(d * d);
  for (let at = 0; at < d; at += 1) inverse[at * d + at] = 1 / lambda;
  return { d, inverse, weights: new Float64Array(d), n: 0 };
}

export function predictLinear({ d, weights }: LinearArm, x: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < d; at += 1) sum += (weights[at] as number) * (x[at] as number);
  return sum;
}

/** xᵀ A⁻¹ x: times the noise's variance, the variance of the prediction. */
export function leverage(arm: LinearArm, x: Float64Array): number {
  const { d, inverse } = arm;
  let sum = 0;
  for (let row = 0; row < d; row += 1) {
    const left = x[row] as number;
    if (left === 0) continue;
    let inner = 0;
    for (let column = 0; column < d; column += 1) {
      inner += (inverse[row * d + column] as number) * (x[column] as number);
    }
    sum += left * inner;
  }
  return Math.max(0, sum);
}

/**
 * Learns one reward. `weight` is its precision in units of the noise; `forget` in (0, 1] inflates
 * what is uncertain first (exponential forgetting, for drift).
 */
export function learnLinear(
  arm: LinearArm,
  x: Float64Array,
  reward: number,
  weight = 1,
  forget = 1,
): void {
  const { d, inverse, weights } = arm;
  const gain = new Float64Array(d);
  let around = 0;
  for (let row = 0; row < d; row += 1) {
    let sum = 0;
    for (let column = 0; column < d; column += 1) {
      sum += (inverse[row * d + column] as number) * (x[column] as number);
    }
    gain[row] = sum / forget;
    around += (sum / forget) * (x[row] as number);
  }
  const scale = weight / (1 + weight * around);
  const error = reward - predictLinear(arm, x);
  for (let row = 0; row < d; row += 1) {
    const left = scale * (gain[row] as number);
    weights[row] = (weights[row] as number) + left * error;
    for (let column = 0; column < d; column += 1) {
      const at = row * d + column;
      inverse[at] = (inverse[at] as number) / forget - left * (gain[column] as number);
    }
  }
  arm.n += 1;
}
