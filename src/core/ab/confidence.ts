import gammaln from '@stdlib/math-base-special-gammaln';
import { logMeanExp } from '../sequential.ts';

/**
 * Confidence sequences: intervals that hold at every look together, and the evidence (e-value) that
 * they are made of. An interval at level α is all effects against which the evidence is below 1/α.
 */
export interface Effect {
  /** The logarithm of treatment's over control's, and its interval. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** ln of the evidence against "no difference". */
  readonly evidence_ln: number;
}

/** Further than this no effect is told apart: e^8 is three thousand times as much. */
const LOG_RATIO_MAX = 8;
const BISECTIONS = 60;

/**
 * The ratio of two rates by how their events fall into the arms. Of the units with the event,
 * `treatment` are in the one arm and `control` in the other; a unit that is in one of the two is in
 * treatment with probability `q`. At a ratio of rates r the share of treatment is
 * p = q r / (q r + 1 − q), whatever the rate and however it drifts, so the evidence against r is
 *
 *   E(r) = mean over priors of B(a + k, b + n − k) / B(a, b) / (p^k (1 − p)^(n − k)),
 *
 * a martingale under r that starts at 1 (Robbins 1970; Lindon & Malek, NeurIPS 2022, for why the
 * arms of events are enough). Priors are centred at q: one expects small differences, one large.
 */
export function rateRatio(
  { treatment, control, q }: { readonly treatment: number; readonly control: number; q: number },
  alpha: number,
): Effect {
  const n = treatment + control;
  const odds = Math.log(q / (1 - q));
  const marginal = logMeanExp(
    RATE_PRIORS.map((strength) => {
      const a = strength * q;
      const b = strength * (1 - q);
      return betaln(a + treatment, b + control) - betaln(a, b);
    }),
  );
  const evidence_ln = (logRatio: number): number => {
    const x = odds + logRatio;
    return marginal + treatment * softplus(-x) + control * softplus(x);
  };
  const estimate = Math.log((treatment + 0.5) / (control + 0.5)) - odds;
  const limit = Math.log(1 / alpha);
  if (n === 0) return unknownEffect(0);
  const centre = Math.max(-LOG_RATIO_MAX, Math.min(LOG_RATIO_MAX, estimate));
  return {
    estimate,
    low: edge(evidence_ln, limit, centre, -LOG_RATIO_MAX),
    high: edge(evidence_ln, limit, centre, LOG_RATIO_MAX),
    evidence_ln: evidence_ln(0),
  };
}

/** Pseudo-events of the priors: logarithms of ratios spread by about 0.15 and 0.7 at even arms. */
const RATE_PRIORS = [180, 8];

export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Of one unit. */
  readonly variance: number;
}

/** Below this many units an arm's mean is not compared: the central limit is not near yet. */
export const MEAN_UNITS_MIN = 50;

/**
 * The ratio of two means: of logarithms their difference, else the logarithm of the ratio, whose
 * variance is that of the delta method. With D ± s the estimate and I = 1/s² the evidence against δ
 * is Robbins' normal mixture, mean over τ of (1 + τ²I)^−½ exp(½ (D − δ)² I · τ²I / (1 + τ²I)): an
 * asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform
 * central limit theory and asymptotic confidence sequences", Annals of Statistics 2024).
 */
export function meanRatio(
  treatment: Moments,
  control: Moments,
  { alpha, log }: { readonly alpha: number; readonly log: boolean },
): Effect {
  if (Math.min(treatment.n, control.n) < MEAN_UNITS_MIN) {
    return unknownEffect(estimateOf(treatment, control, log));
  }
  const estimate = estimateOf(treatment, control, log);
  const squared = errorOf(treatment, log) + errorOf(control, log);
  if (!(squared > 0) || !Number.isFinite(estimate + squared)) return unknownEffect(estimate);
  const information = 1 / squared;
  const evidence_ln = (delta: number): number => {
    const z2 = (estimate - delta) ** 2 * information;
    return logMeanExp(
      MEAN_SPREADS.map((tau) => {
        const x = tau * tau * information;
        return (z2 * x) / (2 * (1 + x)) - Math.log1p(x) / 2;
      }),
    );
  };
  const limit = Math.log(1 / alpha);
  return {
    estimate,
    low: edge(evidence_ln, limit, estimate, estimate - LOG_RATIO_MAX),
    high: edge(evidence_ln, limit, estimate, estimate + LOG_RATIO_MAX),
    evidence_ln: evidence_ln(0),
  };
}

/** How far effects are expected to lie from none, on the scale of logarithms. */
const MEAN_SPREADS = [0.03, 0.1, 0.4];

function estimateOf(treatment: Moments, control: Moments, log: boolean): number {
  if (treatment.n === 0 || control.n === 0) return 0;
  return log ? treatment.mean - control.mean : Math.log(treatment.mean / control.mean);
}

function errorOf({ n, mean, variance }: Moments, log: boolean): number {
  return log ? variance / n : variance / (n * mean * mean);
}

function unknownEffect(estimate: number): Effect {
  const known = Number.isFinite(estimate) ? estimate : 0;
  return { estimate: known, low: -LOG_RATIO_MAX, high: LOG_RATIO_MAX, evidence_ln: 0 };
}

/** One arm's rate with its confidence sequence, by a beta mixture; [0, 1] where there is nobody. */
export function rateInterval(events: number, n: number, alpha: number): readonly [number, number] {
  if (n <= 0) return [0, 1];
  const marginal = betaln(0.5 + events, 0.5 + n - events) - betaln(0.5, 0.5);
  const evidence_ln = (p: number): number =>
    marginal - events * Math.log(p) - (n - events) * Math.log1p(-p);
  const limit = Math.log(1 / alpha);
  const centre = (events + 0.5) / (n + 1);
  const low = events === 0 ? 0 : edge(evidence_ln, limit, centre, 1e-12);
  const high = events === n ? 1 : edge(evidence_ln, limit, centre, 1 - 1e-12);
  return [low, high];
}

/** One arm's mean with its asymptotic confidence sequence; null below the least number of units. */
export function meanInterval(
  { n, mean, variance }: Moments,
  alpha: number,
): readonly [number, number] | null {
  if (n < MEAN_UNITS_MIN || !(variance >= 0)) return null;
  // The boundary is tightest about where so many units are; it holds at every n.
  const x = n / TUNED_UNITS;
  const half = Math.sqrt((variance / n) * (1 + 1 / x) * (Math.log1p(x) - 2 * Math.log(alpha)));
  return [mean - half, mean + half];
}

/** ln of the evidence against a mean of 0, of which the same intervals are made; any number. */
export function meanEvidenceLn({ n, mean, variance }: Moments): number {
  if (!(variance > 0)) return 0;
  const x = n / TUNED_UNITS;
  return ((mean * mean * n) / variance) * (x / (1 + x) / 2) - Math.log1p(x) / 2;
}

const TUNED_UNITS = 100;

/** Where the evidence reaches its limit between the estimate and the farthest effect. */
function edge(
  evidence_ln: (at: number) => number,
  limit: number,
  inside: number,
  outside: number,
): number {
  if (evidence_ln(outside) < limit) return outside;
  let near = inside;
  let far = outside;
  for (let turn = 0; turn < BISECTIONS; turn += 1) {
    const middle = (near + far) / 2;
    if (evidence_ln(middle) < limit) near = middle;
    else far = middle;
  }
  return near;
}

function betaln(a: number, b: number): number {
  return gammaln(a) + gammaln(b) - gammaln(a + b);
}

/** ln(1 + e^x) without overflow. */
function softplus(x: number): number {
  return x > 30 ? x : Math.log1p(Math.exp(x));
}
