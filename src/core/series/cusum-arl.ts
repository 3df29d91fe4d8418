import { normalCdf } from './normal.ts';
import { at } from './numbers.ts';

/**
 * The mean number of steps until a one-sided CUSUM with slack `k` and threshold `h` alarms when the
 * values are normal(shift, 1): the Markov chain of D. Brook and D. A. Evans, "An approach to the
 * probability distribution of CUSUM run length", Biometrika 1972. The sum moves between `states`
 * cells; the run length is the solution of (I − Q) L = 1. Exact in the limit; the error falls with
 * the square of the cells, so two sizes are extrapolated to it.
 */
export function cusumArlOneSided(shift: number, k: number, h: number, states = 200): number {
  const coarse = chainArl(shift, k, h, states);
  const fine = chainArl(shift, k, h, 2 * states);
  return fine + (fine - coarse) / 3;
}

/**
 * Of the two-sided CUSUM: 1 / ARL = 1 / ARL↑ + 1 / ARL↓, exact because the two sides cannot both be
 * above zero for long (K. W. Kemp 1971). k = 0.5, h = 5: 465.4 at no shift, 10.38 at 1 σ.
 */
export function cusumArl(shift: number, k: number, h: number): number {
  return 1 / (1 / cusumArlOneSided(shift, k, h) + 1 / cusumArlOneSided(-shift, k, h));
}

function chainArl(shift: number, k: number, h: number, states: number): number {
  const width = (2 * h) / (2 * states - 1);
  const matrix = Array.from({ length: states }, (_, from) => {
    const row = new Float64Array(states + 1);
    for (let to = 0; to < states; to += 1) {
      const upper = normalCdf((to - from + 0.5) * width + k - shift);
      const lower = to === 0 ? 0 : normalCdf((to - from - 0.5) * width + k - shift);
      row[to] = (from === to ? 1 : 0) - (upper - lower);
    }
    row[states] = 1;
    return row;
  });
  return at(solve(matrix), 0);
}

/** Gauss's elimination; the chain's matrix is diagonally dominant, so it needs no pivots. */
function solve(rows: readonly Float64Array[]): Float64Array {
  const size = rows.length;
  const row = (index: number): Float64Array => rows[index] as Float64Array;
  for (let pivot = 0; pivot < size; pivot += 1) {
    for (let below = pivot + 1; below < size; below += 1) {
      const factor = at(row(below), pivot) / at(row(pivot), pivot);
      if (factor === 0) continue;
      const [target, source] = [row(below), row(pivot)];
      for (let column = pivot; column <= size; column += 1) {
        target[column] = at(target, column) - factor * at(source, column);
      }
    }
  }
  const solution = new Float64Array(size);
  for (let index = size - 1; index >= 0; index -= 1) {
    let sum = at(row(index), size);
    for (let column = index + 1; column < size; column += 1) {
      sum -= at(row(index), column) * at(solution, column);
    }
    solution[index] = sum / at(row(index), index);
  }
  return solution;
}
