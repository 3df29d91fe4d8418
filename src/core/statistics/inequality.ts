/**
 * How unevenly amounts are spread: 0 where all are equal, 1 − 1/n where one has all (C. Gini 1912).
 * Null of nothing.
 */
export function gini(amounts: readonly number[]): number | null {
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  if (amounts.length === 0 || total <= 0) return null;
  const sorted = [...amounts].sort((left, right) => left - right);
  const weighted = sorted.reduce((sum, amount, index) => sum + (index + 1) * amount, 0);
  return (2 * weighted) / (amounts.length * total) - (amounts.length + 1) / amounts.length;
}

/** Standard deviation over mean; null of nothing. */
export function coefficientOfVariation(amounts: readonly number[]): number | null {
  const mean = amounts.reduce((sum, amount) => sum + amount, 0) / amounts.length;
  if (amounts.length === 0 || mean <= 0) return null;
  const variance = amounts.reduce((sum, one) => sum + (one - mean) ** 2, 0) / amounts.length;
  return Math.sqrt(variance) / mean;
}
