import { CUSUM_DEFAULTS, CUSUM_START, cusumStep } from '../../../src/core/series/cusum.ts';
import { createRandom } from '../../../src/core/series/random.ts';

/** The mean run length of the two-sided CUSUM on normal(shift, 1), and its standard error. */
export function meanRunLength(runs: number, shift: number, seed: number) {
  const random = createRandom(seed);
  let [sum, squares] = [0, 0];
  for (let run = 0; run < runs; run += 1) {
    let state = CUSUM_START;
    let rows = 0;
    while (Math.max(state.up, state.down) < CUSUM_DEFAULTS.h) {
      state = cusumStep(state, random.normal() + shift);
      rows += 1;
    }
    sum += rows;
    squares += rows * rows;
  }
  const mean = sum / runs;
  return { mean, error: Math.sqrt((squares / runs - mean * mean) / runs) };
}
