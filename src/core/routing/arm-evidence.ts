import { type ArmSums, spreadOf } from './best-arm.ts';

/** How much more one arm earns than another; interval and evidence hold at all looks together. */
export interface ArmDifference {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** ln of the e-value against “it earns no more than the other”. */
  readonly evidence_ln: number;
}

/** Units of an arm below which the central limit is not near: nothing is told apart. */
export const ARM_UNITS_MIN = 50;

/**
 * The difference of two arms' means, whoever was asked when: what units earn is a martingale beside
 * their arm's mean μ, so Robbins' normal mixture of an arm, with v the variance of one unit's,
 *
 *   M(m) = (1 + n/N)^−½ exp(½ n (x̄ − m)² / v · n / (n + N)),
 *
 * starts at 1 and is one in m = μ. The product of both arms' in (m, m − d) is one where m = μ₁ and
 * d = μ₁ − μ₂; its least value over m is below that, so it is evidence against the difference d:
 *
 *   ln E(d) = A (x̄₁ − x̄₂ − d)² − C,   A = a₁ a₂ / (a₁ + a₂),   C = c₁ + c₂
 *
 * with a = n² / (2 v (n + N)) and c = ½ ln(1 + n/N). Where x̄₁ > x̄₂ it is smaller in 0 than in any
 * d < 0, so E(0) is evidence against “no more”. With variances put in for v it holds asymptotically
 * (Waudby-Smith and others, Annals of Statistics 2024).
 */
export function armDifference(one: ArmSums, other: ArmSums, alpha: number): ArmDifference {
  const estimate = meanOf(one) - meanOf(other);
  if (Math.min(one.n, other.n) < ARM_UNITS_MIN) {
    const known = Number.isFinite(estimate) ? estimate : 0;
    return { estimate: known, low: -Infinity, high: Infinity, evidence_ln: 0 };
  }
  const [left, right] = [curveOf(one), curveOf(other)];
  const A = (left.a * right.a) / (left.a + right.a);
  const C = left.c + right.c;
  const half = Math.sqrt((Math.log(1 / alpha) + C) / A);
  const evidence_ln = (estimate > 0 ? A * estimate * estimate : 0) - C;
  return { estimate, low: estimate - half, high: estimate + half, evidence_ln };
}

/** The boundary is tightest about where an arm has so many rewards; it holds at every number. */
const TUNED = 200;

function curveOf(arm: ArmSums): { readonly a: number; readonly c: number } {
  const { n } = arm;
  // The variance of a mean is v / n.
  return { a: n / (2 * spreadOf(arm) * (n + TUNED)), c: Math.log1p(n / TUNED) / 2 };
}

function meanOf({ n, sum }: ArmSums): number {
  return sum / n;
}
