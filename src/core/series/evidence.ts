import { createHistogramTail } from './histogram-tail.ts';

/**
 * ln-free evidence of a p-value, as an e-value: (1 − p + p ln p) / (p ln² p), the mean over κ of
 * the calibrators κ p^(κ−1) (V. Vovk and R. Wang, "E-values: calibration, combination and
 * applications", Annals of Statistics 2021). Its expectation is 1 where nothing is unusual, so
 * averages of it stay valid however the p-values depend. `surprise` is −log10 p.
 */
export function evidenceOf(surprise: number): number {
  if (surprise < 1e-6) return 0.5;
  const log = surprise * Math.LN10;
  const p = Math.exp(-log);
  return (1 - p - p * log) / (p * log * log);
}

/** A positive statistic of the stream, judged against its own past. */
export interface Witness {
  /** Takes the row's statistic; returns its evidence, 1 when there is too little past. */
  judge(statistic: number): number;
}

/**
 * `least` values of the past are needed. A statistic that `remembers` so many rows says as much in
 * that many as another in one: its surprise ends where so few independent values can tell.
 */
export function createWitness(least: number, remembers = 1): Witness {
  const tail = createHistogramTail({ least });
  return {
    judge(statistic) {
      const known = tail.count;
      const surprise = tail.take(statistic);
      if (known < least) return 1;
      const most = Math.log10(known / remembers) + SURPRISE_MORE;
      return evidenceOf(Math.min(surprise, Math.max(SURPRISE_MORE, most)));
    },
  };
}

/** −log10 p by which a tail may be believed beyond what its rows could show by counting. */
const SURPRISE_MORE = 4;
