import { createAlarmGate, QUIET, type SeriesDetector, scoreOf, share } from './detector.ts';
import { at, clamp, lnGamma, madSigma, median } from './numbers.ts';
import { Ring } from './ring.ts';

export interface BocpdOptions {
  /** Rows between changes that are expected beforehand; the hazard is its inverse. */
  readonly expected_run?: number;
  /** Run lengths kept, the likeliest first: bounds time and memory of a row. */
  readonly runs_max?: number;
}

/** What is believed of the run length after a row. */
export interface RunBelief {
  /** P(run length < `rows`). */
  young(rows: number): number;
  /** The likeliest run length: rows since the last change. */
  readonly likeliest: number;
}

export interface Bocpd {
  /** Takes a standardised value: the prior is a level near 0 (σ 3) and noise near 1. */
  push(z: number): RunBelief;
}

interface Run {
  readonly length: number;
  readonly log_weight: number;
  readonly mean: number;
  readonly kappa: number;
  readonly alpha: number;
  readonly beta: number;
}

const PRIOR = { mean: 0, kappa: 0.1, alpha: 1, beta: 0.7 };

/**
 * Bayesian online change-point detection (R. P. Adams and D. J. C. MacKay 2007, arXiv:0710.3742)
 * for normal values whose mean and variance both change: each run length has a
 * normal-inverse-gamma posterior, so the next value is Student-t. Only the `runs_max` likeliest run
 * lengths are kept.
 */
export function createBocpdModel(options: BocpdOptions = {}): Bocpd {
  const { expected_run = 250, runs_max = 200 } = options;
  const hazard = 1 / expected_run;
  let runs: readonly Run[] = [{ length: 0, log_weight: 0, ...PRIOR }];
  return {
    push(z) {
      const seen = runs.map((run) => run.log_weight + logStudent(z, run));
      const total = logSumExp(seen);
      const grown = runs.map((run, index) => grow(run, z, at(seen, index) - total, hazard));
      runs = prune([{ length: 0, log_weight: Math.log(hazard), ...PRIOR }, ...grown], runs_max);
      return belief(runs);
    },
  };
}

function grow(run: Run, z: number, log_weight: number, hazard: number): Run {
  const kappa = run.kappa + 1;
  const gap = z - run.mean;
  return {
    length: run.length + 1,
    log_weight: log_weight + Math.log1p(-hazard),
    mean: run.mean + gap / kappa,
    kappa,
    alpha: run.alpha + 0.5,
    beta: run.beta + (run.kappa * gap * gap) / (2 * kappa),
  };
}

/** ln of the predictive density: Student-t with 2α degrees of freedom. */
function logStudent(z: number, { mean, kappa, alpha, beta }: Run): number {
  const freedom = 2 * alpha;
  const scale2 = (beta * (kappa + 1)) / (alpha * kappa);
  const square = ((z - mean) * (z - mean)) / (freedom * scale2);
  return (
    lnGamma(alpha + 0.5) -
    lnGamma(alpha) -
    0.5 * Math.log(freedom * Math.PI * scale2) -
    (alpha + 0.5) * Math.log1p(square)
  );
}

function logSumExp(logs: readonly number[]): number {
  const top = logs.reduce((left, right) => Math.max(left, right), Number.NEGATIVE_INFINITY);
  return top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0));
}

/** Run lengths that weigh nothing go, then the lightest beyond the limit; never the new run. */
function prune(runs: readonly Run[], runs_max: number): readonly Run[] {
  const live = runs.filter((run) => run.length < 2 || run.log_weight > -18);
  if (live.length <= runs_max) return live;
  const weights = live.map((run) => run.log_weight).sort((left, right) => right - left);
  const least = at(weights, runs_max - 1);
  return live.filter((run) => run.length < 2 || run.log_weight >= least);
}

function belief(runs: readonly Run[]): RunBelief {
  const total = logSumExp(runs.map((run) => run.log_weight));
  const likeliest = runs.reduce((best, run) => (run.log_weight > best.log_weight ? run : best));
  return {
    likeliest: likeliest.length,
    young: (rows) =>
      share(
        runs.reduce(
          (sum, run) => (run.length < rows ? sum + Math.exp(run.log_weight - total) : sum),
          0,
        ),
      ),
  };
}

const LEARN = 60;
/** Rows within which a change counts as new. */
const YOUNG = 20;

/**
 * BOCPD over a raw series, standardised by the median and MAD of the first rows. The score rises
 * with the odds that a run began within the last 20 rows and has lasted three, so that one outlier
 * is no new run.
 */
export function createBocpd(options: BocpdOptions = {}): SeriesDetector {
  const model = createBocpdModel(options);
  const first = new Ring(LEARN);
  const gate = createAlarmGate(YOUNG);
  let [centre, sigma, count] = [0, 0, 0];
  return {
    push(value) {
      if (value === null || !Number.isFinite(value)) return QUIET;
      count += 1;
      if (count <= LEARN) {
        first.push(value);
        if (count < LEARN) return QUIET;
        const seen = first.toArray();
        centre = median(seen);
        sigma = madSigma(seen, centre) || Math.max(1e-9, Math.abs(centre) * 1e-3);
        for (const one of seen) model.push(clamp((one - centre) / sigma, -50, 50));
        return QUIET;
      }
      const run = model.push(clamp((value - centre) / sigma, -50, 50));
      const young = run.young(YOUNG);
      const odds = young / Math.max(1e-12, 1 - young);
      // 0.95 that a run is new, and new for at least three rows: an outlier alone is not a run.
      const score = count > LEARN + YOUNG && run.likeliest >= 3 ? scoreOf(Math.log1p(odds), 3) : 0;
      return { score, alarm: gate.pass(score) };
    },
  };
}
