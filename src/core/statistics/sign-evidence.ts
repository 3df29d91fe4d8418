import { eValue, logMeanExp } from '../sequential.ts';

/** Chances of a win that the evidence is averaged over. */
const CHANCES: readonly number[] = [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/**
 * The e-value against "a pair is won with a chance of ½ at most", of pairs that were won or lost;
 * ties say nothing and are left out. The mean over chances p of (2p)^wins (2(1−p))^losses is a
 * non-negative supermartingale under that hypothesis, so it may be looked at after every pair:
 * P(sup E ≥ 1/α) ≤ α (Ville; A. Ramdas et al., “Game-theoretic statistics and safe anytime-valid
 * inference”, Statistical Science 38(4), 2023). Pairs must be of units that know nothing of each
 * other.
 */
export function signEvidence(wins: number, losses: number): number {
  const logs = CHANCES.map((p) => wins * Math.log(2 * p) + losses * Math.log(2 * (1 - p)));
  return eValue(logMeanExp(logs));
}
