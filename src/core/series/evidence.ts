import { createTail, type Tail } from './tail.ts';

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

/** A statistic of the stream, judged against its own past. */
export interface Witness {
  /** Takes the row's statistic; returns its evidence, 1 when there is too little past. */
  judge(statistic: number): number;
}

/** `least` values of the past are needed; more for statistics that change slowly. */
export function createWitness(least: number, memory = 2000): Witness {
  const tail: Tail = createTail({ memory, least });
  return {
    judge(statistic) {
      const evidence = tail.count < least ? 1 : evidenceOf(tail.surprise(statistic));
      tail.push(statistic);
      return evidence;
    },
  };
}
