const Z_95 = 1.959963984540054;

/** What a sum of independent parts says of its own error. */
export interface Moments {
  /** Standard error of the estimate. */
  readonly se: number;
  /** Skewness of the estimate (not of one part): third cumulant over se³. */
  readonly skew: number;
}

/**
 * Moments of an estimate from its influence values (what each row adds to estimate − truth, times
 * rows), summed by cluster first, since rows of one unit are not independent. `order` lists rows so
 * that those of a cluster are next to each other; null where each row is its own.
 */
export function momentsOf(
  influence: Float64Array,
  cluster: Uint32Array | null,
  order: Uint32Array | null,
): Moments {
  let second = 0;
  let third = 0;
  let clusters = 0;
  const take = (sum: number): void => {
    clusters += 1;
    second += sum * sum;
    third += sum * sum * sum;
  };
  if (cluster === null || order === null) for (const value of influence) take(value);
  else {
    let sum = 0;
    for (const [at, row] of order.entries()) {
      const before = at === 0 ? row : (order[at - 1] as number);
      if (cluster[row] !== cluster[before]) {
        take(sum);
        sum = 0;
      }
      sum += influence[row] as number;
    }
    take(sum);
  }
  const rows = Math.max(1, influence.length);
  const variance = (second * clusters) / Math.max(1, clusters - 1) / rows ** 2;
  const se = Math.sqrt(variance);
  return { se, skew: se > 0 ? third / rows ** 3 / se ** 3 : 0 };
}

/**
 * Moments drawn towards those that the reward model expects, by how few events there were. Where
 * a heavy row had no reward its square says that it never has one; with a handful of events the
 * observed variance is far too small. FEW events weigh as much as the model, which may widen what
 * was observed and never narrows it.
 */
export function steadied(observed: Moments, expected: Moments, events: number): Moments {
  if (expected.se <= observed.se) return observed;
  const trust = events / (events + FEW);
  const variance = trust * observed.se ** 2 + (1 - trust) * expected.se ** 2;
  const third =
    trust * observed.skew * observed.se ** 3 + (1 - trust) * expected.skew * expected.se ** 3;
  const se = Math.sqrt(variance);
  return { se, skew: se > 0 ? third / se ** 3 : 0 };
}

const FEW = 10;

/**
 * A 95 % interval that leans where a skewed sum leans. Wald's interval of a rare reward misses
 * mostly above; here the confidence distribution is a shifted gamma with the estimate's standard
 * error, twice its skewness and half an event's shift. For a Poisson count that is Jeffreys'
 * interval, Gamma(n + ½); in general it agrees to second order with Edgeworth's expansion of the
 * studentised mean (P. Hall, "The Bootstrap and Edgeworth Expansion", 1992). Quantiles of the gamma
 * are Wilson and Hilferty's (1931).
 */
export function skewedInterval(estimate: number, { se, skew }: Moments): readonly [number, number] {
  const bounded = Math.min(1, Math.abs(skew));
  if (bounded < 1e-6) return [estimate - Z_95 * se, estimate + Z_95 * se];
  const shape = 1 / bounded ** 2;
  const at = (z: number): number => {
    const root = Math.max(0, 1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape)));
    return se * (bounded / 2 + (shape * root ** 3 - shape) * bounded);
  };
  const [near, far] = [at(-Z_95), at(Z_95)];
  return skew > 0 ? [estimate + near, estimate + far] : [estimate - far, estimate - near];
}
