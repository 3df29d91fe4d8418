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
  /** The prior's variance of a weight: forgetting leads back to it and no further. */
  readonly prior: number;
  n: number;
}

export function createLinearArm(d: number, lambda: number): LinearArm {
  const inverse = new Float64Array(d * d);
  for (let at = 0; at < d; at += 1) inverse[at * d + at] = 1 / lambda;
  return { d, inverse, weights: new Float64Array(d), prior: 1 / lambda, n: 0 };
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
  const keep = mayForget(arm, forget) ? forget : 1;
  const gain = new Float64Array(d);
  let around = 0;
  for (let row = 0; row < d; row += 1) {
    let sum = 0;
    for (let column = 0; column < d; column += 1) {
      sum += (inverse[row * d + column] as number) * (x[column] as number);
    }
    gain[row] = sum / keep;
    around += (sum / keep) * (x[row] as number);
  }
  const scale = weight / (1 + weight * around);
  const error = reward - predictLinear(arm, x);
  for (let row = 0; row < d; row += 1) {
    const left = scale * (gain[row] as number);
    weights[row] = (weights[row] as number) + left * error;
    for (let column = 0; column < d; column += 1) {
      const at = row * d + column;
      inverse[at] = (inverse[at] as number) / keep - left * (gain[column] as number);
    }
  }
  arm.n += 1;
}

/** Without this, doubt of a feature that is never seen would grow until it is no number. */
function mayForget({ d, inverse, prior }: LinearArm, forget: number): boolean {
  if (forget >= 1) return false;
  for (let at = 0; at < d; at += 1) {
    if ((inverse[at * d + at] as number) > prior * forget * 2) return false;
  }
  return true;
}
