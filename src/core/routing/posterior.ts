import type { ArmSums } from './best-arm.ts';
import type { Random } from './random.ts';

/** What is believed of one arm's mean reward. */
export type Posterior = BetaPosterior | NormalPosterior;

/** Of a reward in [0, 1] that is a success or none; fractions count as so much of a success. */
export interface BetaPosterior {
  readonly kind: 'beta';
  readonly alpha: number;
  readonly beta: number;
}

/** Normal-inverse-gamma: of any reward; the mean is Student's t with 2 a degrees of freedom. */
export interface NormalPosterior {
  readonly kind: 'normal';
  readonly mean: number;
  /** Rewards that the prior's mean counts for, and those seen since. */
  readonly n: number;
  readonly a: number;
  readonly b: number;
}

export const BETA_PRIOR: BetaPosterior = { kind: 'beta', alpha: 1, beta: 1 };
/** A reward within about ± 1 of 0.5, as weak as one observation. */
export const NORMAL_PRIOR: NormalPosterior = { kind: 'normal', mean: 0.5, n: 1, a: 1, b: 0.25 };

/**
 * The posterior after rewards, given by their sums; weighted rewards count in proportion. Throws a
 * RangeError on what are no numbers. With `beta`, rewards are of [0, 1].
 */
export function posteriorAfter(prior: Posterior, { n, sum, squares }: ArmSums): Posterior {
  if (![n, sum, squares].every(Number.isFinite)) {
    throw new RangeError(`rewards are numbers, not ${sum} in ${n}`);
  }
  if (prior.kind === 'beta') {
    const successes = Math.min(n, Math.max(0, sum));
    return { kind: 'beta', alpha: prior.alpha + successes, beta: prior.beta + n - successes };
  }
  if (n <= 0) return prior;
  const mean = sum / n;
  const gap = mean - prior.mean;
  const total = prior.n + n;
  return {
    kind: 'normal',
    mean: (prior.mean * prior.n + sum) / total,
    n: total,
    a: prior.a + n / 2,
    b:
      prior.b +
      0.5 * Math.max(0, squares - n * mean * mean) +
      (0.5 * prior.n * n * gap ** 2) / total,
  };
}

export function meanOf(posterior: Posterior): number {
  return posterior.kind === 'beta'
    ? posterior.alpha / (posterior.alpha + posterior.beta)
    : posterior.mean;
}

/** Standard deviation of the mean; infinite while a normal posterior has too little to say. */
export function deviationOf(posterior: Posterior): number {
  if (posterior.kind === 'beta') {
    const { alpha, beta } = posterior;
    const n = alpha + beta;
    return Math.sqrt((alpha * beta) / (n * n * (n + 1)));
  }
  const { n, a, b } = posterior;
  return a > 1 ? Math.sqrt(b / ((a - 1) * n)) : Number.POSITIVE_INFINITY;
}

/** One draw of the arm's mean reward. */
export function drawMean(posterior: Posterior, random: Random): number {
  if (posterior.kind === 'beta') return random.beta(posterior.alpha, posterior.beta);
  const precision = random.gamma(posterior.a) / posterior.b;
  return posterior.mean + random.normal() / Math.sqrt(precision * posterior.n);
}

/**
 * A cell (one category's arm) that borrows from the arm as a whole: the parent's mean counts for
 * `strength` observations, so a cold category starts as the agent and departs as it learns
 * (a normal-normal shrinkage in observations; strength = noise variance / variance between cells).
 */
export function borrowed(cell: Posterior, parent: Posterior, strength: number): Posterior {
  const mean = Math.min(0.999, Math.max(0.001, meanOf(parent)));
  if (cell.kind === 'beta') {
    return {
      kind: 'beta',
      alpha: cell.alpha - BETA_PRIOR.alpha + strength * mean,
      beta: cell.beta - BETA_PRIOR.beta + strength * (1 - mean),
    };
  }
  const n = cell.n + strength;
  const gap = meanOf(parent) - cell.mean;
  return {
    kind: 'normal',
    mean: (cell.mean * cell.n + meanOf(parent) * strength) / n,
    n,
    a: cell.a,
    b: cell.b + (0.5 * cell.n * strength * gap * gap) / n,
  };
}
