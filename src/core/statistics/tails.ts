import { normalTail } from '../series/normal.ts';
import { lnGamma } from '../series/numbers.ts';

/** Units in all, and those among them with at least one event. */
export interface Count {
  readonly units: number;
  readonly events: number;
}

/** A term this much smaller than the sum so far ends a tail. */
const NEGLIGIBLE = 1e-13;
/** No tail is summed over more terms: 30 standard deviations of ten million units. */
const TERMS_MAX = 100_000;

/** P(X ≥ events) of a binomial: the exact one-sided test of a rate against a fixed one. */
export function binomialTail({ events, units }: Count, rate: number): number {
  if (events <= 0) return 1;
  if (events > units || rate <= 0) return 0;
  if (rate >= 1) return 1;
  const first =
    lnChoose(units, events) + events * Math.log(rate) + (units - events) * Math.log1p(-rate);
  const odds = rate / (1 - rate);
  return upperSum(events, units, first, (k) => ((units - k) / (k + 1)) * odds);
}

/**
 * Fisher's exact test, one-sided: P that as many of all events fall into `here`, were each unit as
 * likely to have one here as there. Counts are rounded to whole units.
 */
export function fisherTail(here: Count, there: Count): number {
  const [units, events] = [Math.round(here.units), Math.round(here.events)];
  const [others, theirs] = [Math.round(there.units), Math.round(there.events)];
  const all = events + theirs;
  if (events <= Math.max(0, all - others)) return 1;
  const first = lnChoose(units, events) + lnChoose(others, theirs) - lnChoose(units + others, all);
  return upperSum(events, Math.min(units, all), first, (k) => {
    return (((units - k) / (k + 1)) * (all - k)) / (others - all + k + 1);
  });
}

/** Σ from `from` to `to` of terms that begin at e^`first` and follow one another by `ratio`. */
function upperSum(from: number, to: number, first: number, ratio: (k: number) => number): number {
  let term = 1;
  let sum = 1;
  const last = Math.min(to, from + TERMS_MAX);
  for (let k = from; k < last; k += 1) {
    term *= ratio(k);
    sum += term;
    if (term < sum * NEGLIGIBLE) break;
  }
  return Math.min(1, Math.exp(first + Math.log(sum)));
}

function lnChoose(n: number, k: number): number {
  return lnGamma(n + 1) - lnGamma(k + 1) - lnGamma(n - k + 1);
}

/**
 * z with P(Z > z) = p, ±38 at the ends of what a number can hold: Newton's steps on ln P, which is
 * nearly a parabola, from where Laplace's tail would put it.
 */
export function zOfTail(p: number): number {
  if (p >= 1) return -Z_MOST;
  if (p > 0.5) return -zOfTail(1 - p);
  if (p <= P_LEAST) return Z_MOST;
  const ln = Math.log(p);
  const far = Math.sqrt(-2 * ln);
  let z = Math.max(0, far - Math.log(Math.max(1, far * SQRT_2PI)) / Math.max(1, far));
  for (let step = 0; step < NEWTON_STEPS; step += 1) {
    const tail = normalTail(z);
    const density = Math.exp((-z * z) / 2) / SQRT_2PI;
    const move = ((Math.log(tail) - ln) * tail) / density;
    z += move;
    if (Math.abs(move) < 1e-13 * Math.max(1, z)) break;
  }
  return z;
}
const Z_MOST = 38;
/** P(Z > 38), about the least that a number can hold. */
const P_LEAST = 2.9e-316;
const SQRT_2PI = Math.sqrt(2 * Math.PI);
const NEWTON_STEPS = 30;

/** The p value of the same deviation where the variance is `factor` times what the test assumed. */
export function pDispersed(p: number, factor: number): number {
  if (factor <= 1 || p >= 0.5) return p;
  return normalTail(zOfTail(p) / Math.sqrt(factor));
}

/** P(T > t) of Student's t, by Wallace's normalising transform: within 1 % for df ≥ 10. */
export function studentTail(t: number, df: number): number {
  if (t < 0) return 1 - studentTail(-t, df);
  const z = ((8 * df + 1) / (8 * df + 3)) * Math.sqrt(df * Math.log1p((t * t) / df));
  return normalTail(z);
}

/** Four counts of a difference in differences: a cell and its peers, here and there. */
export interface Differences {
  readonly here: Count;
  readonly there: Count;
  readonly peers_here: Count;
  readonly peers_there: Count;
}

/**
 * P of as large a rise beyond the peers' own (never below 0: peers that got better are no reason to
 * blame anybody), were both the same: the normal test of a difference in differences.
 */
export function extraRiseTail({ here, there, peers_here, peers_there }: Differences): number {
  const common = rate(peers_here) - rate(peers_there);
  const peers = common > 0 ? [peers_here, peers_there] : [];
  const extra = rate(here) - rate(there) - Math.max(0, common);
  const variance = [here, there, ...peers].reduce((sum, { units, events }) => {
    const smoothed = (events + 0.5) / (units + 1);
    return sum + (smoothed * (1 - smoothed)) / Math.max(1, units);
  }, 0);
  return normalTail(extra / Math.sqrt(variance));
}

const rate = ({ units, events }: Count): number => (units > 0 ? events / units : 0);
