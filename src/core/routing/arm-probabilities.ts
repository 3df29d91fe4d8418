import { drawMean, type Posterior } from './posterior.ts';
import type { Random } from './random.ts';

/** Draws for one table: a probability of 2 % is then known within ± 0.3 %. */
export const DRAWS = 10_000;

/**
 * How often each arm has the highest mean, in draws from all posteriors: Thompson sampling's
 * probabilities (Thompson 1933). They add up to 1.
 */
export function thompsonProbabilities(
  arms: readonly Posterior[],
  random: Random,
  draws = DRAWS,
): readonly number[] {
  const wins = new Float64Array(arms.length);
  for (let draw = 0; draw < draws; draw += 1) {
    const best = argmax(arms.map((arm) => drawMean(arm, random)));
    wins[best] = (wins[best] as number) + 1;
  }
  return Array.from(wins, (count) => count / draws);
}

/**
 * Top-two Thompson (Russo 2016): with probability `leader` the arm that Thompson takes, else the
 * one it takes given that it is another. Finds the best arm sooner, at some regret.
 * P(k) = leader p(k) + (1 - leader) Σ_{j≠k} p(j) p(k) / (1 - p(j)), exact given p.
 */
export function topTwoProbabilities(thompson: readonly number[], leader = 0.5): readonly number[] {
  if (thompson.length < 2) return [...thompson];
  const sure = thompson.findIndex((p) => p >= 1 - 1e-12);
  // Nothing is known of the second where the first won every draw: it is shared evenly.
  if (sure >= 0) {
    const rest = (1 - leader) / (thompson.length - 1);
    return thompson.map((_, index) => (index === sure ? leader : rest));
  }
  const odds = thompson.map((p) => p / (1 - p));
  const all = odds.reduce((sum, odd) => sum + odd, 0);
  return thompson.map((p, k) => leader * p + (1 - leader) * p * (all - (odds[k] as number)));
}

/** The least probability of an arm, where n arms can all have it: f + (1 - n f) w. */
export function floored(probabilities: readonly number[], floor: number): readonly number[] {
  const n = probabilities.length;
  const least = Math.min(Math.max(0, floor), 1 / n);
  return probabilities.map((p) => least + (1 - n * least) * p);
}

/** The first of the highest. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if ((values[index] as number) > (values[best] as number)) best = index;
  }
  return best;
}

/**
 * Inverse gap weighting of SquareCB (Foster and Rakhlin 2020, arXiv 2002.04926): from predicted
 * rewards; an arm that is worse by `gap` has 1 / (n + gamma gap), the best has the rest.
 */
export function inverseGapWeights(predicted: ArrayLike<number>, gamma: number): readonly number[] {
  const n = predicted.length;
  const best = argmax(predicted);
  const top = predicted[best] as number;
  let rest = 1;
  const weights = Array.from(predicted, (value, index) => {
    if (index === best) return 0;
    const weight = 1 / (n + gamma * (top - value));
    rest -= weight;
    return weight;
  });
  weights[best] = rest;
  return weights;
}
