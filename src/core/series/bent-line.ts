import { type Description, noiseLength, type Pricing } from './description-length.ts';
import { at } from './numbers.ts';
import { BENT_LINE } from './segment-costs.ts';

/**
 * One continuous line that bends at `changes`, by least squares; its bends are moved while that
 * shortens the description.
 */
export function bentLine(
  values: Float64Array,
  changes: readonly number[],
  pricing: Pricing,
): Description {
  let best = bentAt(values, changes, pricing);
  let reach = Math.max(1, Math.round(values.length / 40));
  while (reach >= 1) {
    const moved = moves(best.changes, reach, values.length)
      .map((places) => bentAt(values, places, pricing))
      .reduce((left, right) => (right.length < left.length ? right : left), best);
    if (moved.length < best.length - 1e-9) best = moved;
    else reach = Math.floor(reach / 2);
  }
  return best;
}

function moves(changes: readonly number[], reach: number, rows: number): (readonly number[])[] {
  return changes.flatMap((place, index) =>
    [place - reach, place + reach]
      .filter((moved) => {
        const before = changes[index - 1] ?? 0;
        return moved > before + 2 && moved < (changes[index + 1] ?? rows) - 2;
      })
      .map((moved) => changes.with(index, moved)),
  );
}

function bentAt(values: Float64Array, changes: readonly number[], pricing: Pricing): Description {
  const rows = values.length;
  const size = changes.length + 2;
  const basis = new Float64Array(rows * size);
  for (let row = 0; row < rows; row += 1) {
    basis[row * size] = 1;
    basis[row * size + 1] = row / rows - 0.5;
    changes.forEach((place, index) => {
      basis[row * size + 2 + index] = Math.max(0, row - place) / rows;
    });
  }
  const rest = regressionRest(values, basis, size);
  const price =
    (2 + changes.length) * Math.log(rows) + changes.length * pricing.place * Math.log(rows);
  // A bend is a hinge of the mean: the noise's memory runs on over it.
  const length = noiseLength(rest, [], false, pricing.floor) + price;
  return { family: BENT_LINE, changes, length };
}

/** Residuals of least squares on `size` functions; `basis` holds their values row by row. */
export function regressionRest(
  values: Float64Array,
  basis: Float64Array,
  size: number,
): Float64Array {
  const normal = Array.from({ length: size }, () => new Float64Array(size + 1));
  normal.forEach((equation, i) => {
    for (let row = 0; row < values.length; row += 1) {
      const term = at(basis, row * size + i);
      if (term === 0) continue;
      for (let j = 0; j < size; j += 1) {
        equation[j] = at(equation, j) + term * at(basis, row * size + j);
      }
      equation[size] = at(equation, size) + term * at(values, row);
    }
  });
  const weights = eliminate(normal);
  return values.map((value, row) => {
    let fit = 0;
    for (let i = 0; i < size; i += 1) fit += at(weights, i) * at(basis, row * size + i);
    return value - fit;
  });
}

/** Solves symmetric positive equations; a term that depends on the others gets no weight. */
function eliminate(normal: readonly Float64Array[]): Float64Array {
  const size = normal.length;
  const equation = (index: number): Float64Array => normal[index] as Float64Array;
  const scale = Math.max(...normal.map((row, index) => at(row, index)));
  const usable = normal.map(() => true);
  for (let pivot = 0; pivot < size; pivot += 1) {
    const head = at(equation(pivot), pivot);
    if (head < 1e-10 * scale) {
      usable[pivot] = false;
      continue;
    }
    for (let other = 0; other < size; other += 1) {
      if (other === pivot) continue;
      const factor = at(equation(other), pivot) / head;
      for (let column = pivot; column <= size; column += 1) {
        equation(other)[column] =
          at(equation(other), column) - factor * at(equation(pivot), column);
      }
    }
  }
  return Float64Array.from({ length: size }, (_, index) =>
    usable[index] ? at(equation(index), size) / at(equation(index), index) : 0,
  );
}
