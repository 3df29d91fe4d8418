/** Rewards of one arm: how many, their sum and the sum of their squares. */
export interface ArmSums {
  readonly n: number;
  readonly sum: number;
  readonly squares: number;
}

const SAMPLES_MIN = 10;

/**
 * The arm that is best with probability ≥ 1 - delta, whenever one looks; null while none is. The
 * generalised likelihood ratio of track-and-stop (Garivier and Kaufmann 2016): every other arm's
 * gap² / (2 (s₁²/n₁ + s₂²/n₂)) above ln((1 + ln t) / delta).
 */
export function provenBest(arms: readonly ArmSums[], delta = 0.05): number | null {
  const means = arms.map(({ n, sum }) => (n > 0 ? sum / n : Number.NEGATIVE_INFINITY));
  if (arms.length < 2 || arms.some(({ n }) => n < SAMPLES_MIN)) return null;
  const best = means.indexOf(Math.max(...means));
  const total = arms.reduce((sum, { n }) => sum + n, 0);
  const threshold = Math.log((1 + Math.log(total)) / delta);
  const proven = arms.every((arm, index) => {
    if (index === best) return true;
    const gap = (means[best] as number) - (means[index] as number);
    const spread = spreadOf(arms[best] as ArmSums) + spreadOf(arm);
    return (gap * gap) / (2 * spread) > threshold;
  });
  return proven ? best : null;
}

/** Variance of an arm's mean; an arm that was always the same is not taken at its word. */
export function spreadOf({ n, sum, squares }: ArmSums): number {
  const mean = sum / n;
  const variance = Math.max(squares / n - mean * mean, 1 / (n + 2));
  return variance / n;
}
