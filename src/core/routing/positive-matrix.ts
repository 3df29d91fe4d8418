/** Symmetric positive definite matrices, d × d, row by row: all that a ridge regression needs. */

/** The lower factor of Cholesky's decomposition of A + diag(penalty); the upper part is 0. */
export function factorOf(a: Float64Array, penalty: Float64Array): Float64Array {
  const d = penalty.length;
  const lower = new Float64Array(d * d);
  for (let row = 0; row < d; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let sum = (a[row * d + column] as number) + (row === column ? (penalty[row] as number) : 0);
      for (let k = 0; k < column; k += 1) {
        sum -= (lower[row * d + k] as number) * (lower[column * d + k] as number);
      }
      lower[row * d + column] =
        row === column
          ? Math.sqrt(Math.max(sum, 1e-12))
          : sum / (lower[column * d + column] as number);
    }
  }
  return lower;
}

/** x of L Lᵀ x = b. */
export function solveWith(lower: Float64Array, b: Float64Array): Float64Array {
  const d = b.length;
  const x = new Float64Array(d);
  for (let row = 0; row < d; row += 1) {
    let sum = b[row] as number;
    for (let k = 0; k < row; k += 1) sum -= (lower[row * d + k] as number) * (x[k] as number);
    x[row] = sum / (lower[row * d + row] as number);
  }
  for (let row = d - 1; row >= 0; row -= 1) {
    let sum = x[row] as number;
    for (let k = row + 1; k < d; k += 1) sum -= (lower[k * d + row] as number) * (x[k] as number);
    x[row] = sum / (lower[row * d + row] as number);
  }
  return x;
}

/** ln |L Lᵀ|. */
export function logDeterminant(lower: Float64Array, d: number): number {
  let sum = 0;
  for (let at = 0; at < d; at += 1) sum += Math.log(lower[at * d + at] as number);
  return 2 * sum;
}

/** (L Lᵀ)⁻¹, whole. */
export function inverseOf(lower: Float64Array, d: number): Float64Array {
  const inverse = new Float64Array(d * d);
  const unit = new Float64Array(d);
  for (let column = 0; column < d; column += 1) {
    unit.fill(0);
    unit[column] = 1;
    inverse.set(solveWith(lower, unit), column * d);
  }
  return inverse;
}

export function times(a: Float64Array, x: Float64Array): Float64Array {
  const d = x.length;
  const result = new Float64Array(d);
  for (let row = 0; row < d; row += 1) {
    let sum = 0;
    for (let k = 0; k < d; k += 1) sum += (a[row * d + k] as number) * (x[k] as number);
    result[row] = sum;
  }
  return result;
}

export function dot(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at += 1) {
    sum += (left[at] as number) * (right[at] as number);
  }
  return sum;
}

/** Adds weight × x xᵀ below the diagonal and on it; `mirror` makes the rest, once for all. */
export function addOuterProduct(into: Float64Array, x: Float64Array, weight: number): void {
  const d = x.length;
  for (let row = 0; row < d; row += 1) {
    const left = weight * (x[row] as number);
    if (left === 0) continue;
    const base = row * d;
    for (let column = 0; column <= row; column += 1) {
      into[base + column] = (into[base + column] as number) + left * (x[column] as number);
    }
  }
}

export function mirror(a: Float64Array, d: number): void {
  for (let row = 0; row < d; row += 1) {
    for (let column = 0; column < row; column += 1) {
      a[column * d + row] = a[row * d + column] as number;
    }
  }
}

const SWEEPS = 30;

/**
 * `count` orthonormal directions in which A is largest, by subspace iteration from the axes; the
 * same matrix gives the same directions.
 */
export function topDirections(a: Float64Array, d: number, count: number): readonly Float64Array[] {
  const order = [...Array.from({ length: d }).keys()]
    .sort((left, right) => (a[right * d + right] as number) - (a[left * d + left] as number))
    .slice(0, count);
  let rows: readonly Float64Array[] = order.map((axis) => {
    const row = new Float64Array(d);
    row[axis] = 1;
    return row;
  });
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    rows = orthonormal(rows.map((row) => times(a, row)));
  }
  return rows;
}

/** Gram and Schmidt's, twice over for exactness; what is left of nothing becomes zeros. */
function orthonormal(rows: readonly Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const row of rows) {
    const size = Math.sqrt(dot(row, row));
    for (let pass = 0; pass < 2; pass += 1) {
      for (const other of done) {
        const along = dot(row, other);
        for (let at = 0; at < row.length; at += 1) {
          row[at] = (row[at] as number) - along * (other[at] as number);
        }
      }
    }
    const left = Math.sqrt(dot(row, row));
    const scale = left > 1e-9 * size ? 1 / left : 0;
    for (let at = 0; at < row.length; at += 1) row[at] = (row[at] as number) * scale;
    done.push(row);
  }
  return done;
}
