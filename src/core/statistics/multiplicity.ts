import { zOfTail } from './tails.ts';

/**
 * Benjamini and Hochberg's step-up procedure ("Controlling the false discovery rate", JRSS B 1995):
 * which of the hypotheses are rejected so that the expected share of false ones is at most `q`.
 * Where nothing is true, the chance of any rejection is at most `q`. Also valid under positive
 * dependence, which overlapping cells have (Benjamini and Yekutieli 2001).
 */
export function benjaminiHochberg(ps: readonly number[], q: number): readonly boolean[] {
  const sorted = [...ps].sort((left, right) => left - right);
  let bar = -1;
  for (const [index, p] of sorted.entries()) {
    if (p <= (q * (index + 1)) / ps.length) bar = p;
  }
  return ps.map((p) => p <= bar);
}

/**
 * The same on e-values (Wang and Ramdas, "False discovery rate control with e-values", JRSS B
 * 2022): valid under any dependence.
 */
export function eBenjaminiHochberg(es: readonly number[], q: number): readonly boolean[] {
  return benjaminiHochberg(
    es.map((e) => (e > 0 ? 1 / e : Number.POSITIVE_INFINITY)),
    q,
  );
}

/**
 * The p value of a statistic over a sliding window that is looked at all the time: the expected
 * number of times, over `windows` window lengths, at which it would freshly rise above what was
 * seen. The sum over a sliding window is near its high levels Slepian's process, whose clumps above
 * z come at rate z² P(Z > z) a window length (J. Pickands, "Upcrossing probabilities for stationary
 * Gaussian processes", Trans. AMS 1969). Looking less often only makes it conservative.
 */
export function pOverLooks(p: number, windows: number): number {
  if (p >= 0.5) return 1;
  const z = zOfTail(p);
  return Math.min(1, p * (1 + Math.max(0, windows) * z * z));
}
