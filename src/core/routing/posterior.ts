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

/** The posterior after one more reward. Throws a RangeError on one that is no number. */
export function observed(posterior: Posterior, reward: number): Posterior {
  if (!Number.isFinite(reward)) throw new RangeError(`a reward is a number, not ${reward}`);
  if (posterior.kind === 'beta') {
    const success = Math.min(1, Math.max(0, reward));
    const { alpha, beta } = posterior;
    return { kind: 'beta', alpha: alpha + success, beta: beta + 1 - success };
  }
  const { mean, n, a, b } = posterior;
  const gap = reward - mean;
  return {
    kind: 'normal',
    mean: mean + gap / (n + 1),
    n: n + 1,
    a: a + 0.5,
    b: b + (0.5 * n * gap * gap) / (n + 1),
  };
}

/**
 * Forgets towards the prior: what was seen counts gamma times as much. Once a reward, for every
 * arm, so that an arm that is never chosen becomes uncertain again; gamma 0.999 halves in 693.
 */
export function discounted(posterior: Posterior, prior: Posterior, gamma: number): Posterior {
  const back = (value: number, to: number): number => to + gamma * (value - to);
  if (posterior.kind === 'beta' && prior.kind === 'beta') {
    return {
      kind: 'beta',
      alpha: back(posterior.alpha, prior.alpha),
      beta: back(posterior.beta, prior.beta),
    };
  }
  if (posterior.kind === 'beta' || prior.kind === 'beta') return posterior;
  const { mean, n, a, b } = posterior;
  // The mean stays where it is until the prior outweighs it: n and a carry the doubt.
  const seen = Math.max(0, n - prior.n) * gamma;
  const total = seen + prior.n;
  const kept = Math.max(0, n - prior.n);
  const seenMean = kept > 0 ? (mean * n - prior.mean * prior.n) / kept : prior.mean;
  return {
    kind: 'normal',
    mean: (seenMean * seen + prior.mean * prior.n) / total,
    n: total,
    a: back(a, prior.a),
    b: back(b, prior.b),
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
