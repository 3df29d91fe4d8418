/** How far one step may be off its level by chance. */
export interface Noise {
  /** Of a step's value about its level, by the calls or units behind it. */
  varianceAt(held: number): number;
  /** The mean of it over the steps that it was learned from. */
  readonly variance: number;
}

/**
 * The variance of a step is partly of the step, a, and partly of the calls in it, v / n: a night
 * hour's mean of two calls is not as sure as a noon's of forty, and of a week of nights one is
 * always far off. Both are fitted to the mean square of `offs` and to that times n, two equations;
 * where all steps have as many calls they say the same, and only their sum matters. `df` are the
 * degrees of freedom: the steps, less the levels that were fitted to them.
 */
export function noiseOf(
  offs: ArrayLike<number>,
  held: ArrayLike<number>,
  df: number,
  least = 1e-12,
): Noise {
  let [squares, weighted, calls, inverses, most] = [0, 0, 0, 0, 1];
  for (let place = 0; place < offs.length; place += 1) {
    const square = (offs[place] as number) ** 2;
    const count = Math.max(1, held[place] as number);
    squares += square / df;
    weighted += (square * count) / df;
    calls += count / offs.length;
    inverses += 1 / count / offs.length;
    most = Math.max(most, count);
  }
  // By Jensen's inequality never negative; 0 where all steps have as many calls.
  const varied = inverses * calls - 1;
  const of_step = varied < VARIED_MIN ? 0 : (inverses * weighted - squares) / varied;
  const a = Math.min(squares, Math.max(0, of_step));
  const v = Math.max(0, weighted - a * calls);
  return {
    variance: Math.max(least, squares),
    // A step busier than any that was seen is no surer than the busiest of those.
    varianceAt: (count) => Math.max(least, a + v / Math.min(most, Math.max(1, count))),
  };
}
/** Counts that vary less than this tell the two apart by chance alone. */
const VARIED_MIN = 0.05;
