/** A symmetric matrix as its lower triangle, row by row: (i, j) is at i(i+1)/2 + j, j ≤ i. */
export function triangleSize(order: number): number {
  return (order * (order + 1)) / 2;
}

/** Adds weight × x xᵀ to a triangle at `at`. */
export function addOuter(into: Float64Array, at: number, x: Float64Array): void {
  let slot = at;
  for (let row = 0; row < x.length; row += 1) {
    const left = x[row] as number;
    for (let column = 0; column <= row; column += 1) {
      into[slot] = (into[slot] as number) + left * (x[column] as number);
      slot += 1;
    }
  }
}

/** A x, of a triangle. */
export function timesVector(triangle: Float64Array, x: Float64Array): Float64Array {
  const result = new Float64Array(x.length);
  let slot = 0;
  for (let row = 0; row < x.length; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      const value = triangle[slot] as number;
      result[row] = (result[row] as number) + value * (x[column] as number);
      if (column < row) result[column] = (result[column] as number) + value * (x[row] as number);
      slot += 1;
    }
  }
  return result;
}

/**
 * Solves (A + diag(penalty)) x = b by Cholesky's decomposition. A direction without variance gives
 * 0, never NaN.
 */
export function solveRidge(
  triangle: Float64Array,
  b: Float64Array,
  penalty: Float64Array,
): Float64Array {
  const lower = decomposed(triangle, penalty);
  return solveUpper(lower, solveLower(lower, b));
}

/** The lower factor; a pivot of 0 marks a direction without variance. */
function decomposed(triangle: Float64Array, penalty: Float64Array): Float64Array {
  const lower = triangle.slice();
  for (let row = 0; row < penalty.length; row += 1) {
    const base = triangleSize(row);
    for (let column = 0; column <= row; column += 1) {
      const other = triangleSize(column);
      let sum = (lower[base + column] as number) + (row === column ? (penalty[row] as number) : 0);
      for (let k = 0; k < column; k += 1) {
        sum -= (lower[base + k] as number) * (lower[other + k] as number);
      }
      lower[base + column] =
        row === column ? Math.sqrt(sum > 1e-10 ? sum : 0) : over(sum, lower[other + column]);
    }
  }
  return lower;
}

function solveLower(lower: Float64Array, b: Float64Array): Float64Array {
  const x = new Float64Array(b.length);
  for (let row = 0; row < b.length; row += 1) {
    const base = triangleSize(row);
    let sum = b[row] as number;
    for (let k = 0; k < row; k += 1) sum -= (lower[base + k] as number) * (x[k] as number);
    x[row] = over(sum, lower[base + row]);
  }
  return x;
}

function solveUpper(lower: Float64Array, b: Float64Array): Float64Array {
  const x = new Float64Array(b.length);
  for (let row = b.length - 1; row >= 0; row -= 1) {
    let sum = b[row] as number;
    for (let k = row + 1; k < b.length; k += 1) {
      sum -= (lower[triangleSize(k) + row] as number) * (x[k] as number);
    }
    x[row] = over(sum, lower[triangleSize(row) + row]);
  }
  return x;
}

function over(sum: number, pivot: number | undefined): number {
  return pivot === undefined || pivot === 0 ? 0 : sum / pivot;
}
