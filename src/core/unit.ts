import { hash } from 'node:crypto';

/**
 * What an experiment randomises: `u:` a user, `s:` a session, `c:` a conversation, `r:` one
 * request; the first of them that the call names (notes on units in docs/architecture.md).
 */
export type UnitKind = 'user' | 'session' | 'conversation' | 'request';

const TWO_53 = 2 ** 53;

/**
 * A number in [0, 1) that belongs to (salt, unit): the first 53 bits of
 * SHA-256(salt ‖ 0x00 ‖ unit) / 2^53. Both processes compute it alike, and another salt gives an
 * independent draw.
 */
export function unitFraction(salt: string, unit: string): number {
  const digest = hash('sha256', `${salt}\0${unit}`, 'buffer');
  const high = digest.readUInt32BE(0);
  const low = digest.readUInt32BE(4) >>> 11;
  return (high * 2 ** 21 + low) / TWO_53;
}

/** In the arm iff u < share, so that raising a share never moves a unit back. */
export function inShare(salt: string, unit: string, share: number): boolean {
  return share > 0 && unitFraction(salt, unit) < share;
}

/**
 * The option at fraction `u` of a probability vector. Probabilities are taken relative to their
 * sum, so a vector of weights works; one without any weight picks evenly.
 */
export function pickAt(u: number, probabilities: readonly number[]): number {
  const total = probabilities.reduce((sum, probability) => sum + probability, 0);
  if (total <= 0) return Math.min(probabilities.length - 1, Math.floor(u * probabilities.length));
  let cumulative = 0;
  for (const [index, probability] of probabilities.entries()) {
    cumulative += probability / total;
    if (u < cumulative && probability > 0) return index;
  }
  return probabilities.findLastIndex((probability) => probability > 0);
}
