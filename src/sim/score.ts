import type { Lived } from './live.ts';

/** What users had of a policy, whoever chose it. */
export interface Score {
  readonly visits: number;
  readonly satisfied: number;
  readonly errors: number;
  readonly latency_mean_ms: number;
  readonly cost_usd: number;
  /** What satisfied visits are worth, less what all cost, in USD. */
  readonly utility_usd: number;
}

/** Visits that came out better or worse than they would have with nothing ever changed. */
export interface Compared {
  readonly better: number;
  readonly worse: number;
  /** Those among the worse that a canary arm served. */
  readonly worse_in_canary: number;
}

export interface Scorer {
  add(lived: Lived): void;
  score(): Score;
}

export function createScorer(worth_usd: number): Scorer {
  const sums = { visits: 0, satisfied: 0, errors: 0, latency_ms: 0, cost_usd: 0 };
  return {
    add({ calls, satisfied, error, latency_ms, cost_usd }) {
      if (calls.length === 0) return;
      sums.visits += 1;
      sums.satisfied += satisfied ? 1 : 0;
      sums.errors += error ? 1 : 0;
      sums.latency_ms += latency_ms;
      sums.cost_usd += cost_usd;
    },
    score() {
      const { latency_ms, ...rest } = sums;
      const latency_mean_ms = latency_ms / Math.max(1, sums.visits);
      const utility_usd = worth_usd * sums.satisfied - sums.cost_usd;
      return { ...rest, latency_mean_ms, utility_usd };
    },
  };
}

export interface Comparer {
  add(loop: Lived, nothing: Lived): void;
  compared(): Compared;
}

export function createComparer(): Comparer {
  const counts = { better: 0, worse: 0, worse_in_canary: 0 };
  return {
    add(loop, nothing) {
      if (loop.satisfied === nothing.satisfied) return;
      if (loop.satisfied) counts.better += 1;
      else counts.worse += 1;
      if (!loop.satisfied && loop.arm === 'canary') counts.worse_in_canary += 1;
    },
    compared: () => ({ ...counts }),
  };
}
