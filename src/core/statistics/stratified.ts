import type { Count } from './tails.ts';

/** The two sides of one stratum: a category, a tenant, a target. */
export interface Stratum {
  readonly name: string;
  readonly here: Count;
  readonly there: Count;
}

export interface Stratified {
  /** Mantel and Haenszel's risk difference, here minus there. */
  readonly difference: number;
  readonly error: number;
  readonly strata: number;
  /** Units of `here` that are in a stratum with both sides. */
  readonly units: number;
}

/**
 * The difference of two rates within strata, so that a change of the mix is no change of the rate
 * (Mantel and Haenszel 1959; the risk difference of Greenland and Robins, Biometrics 1985). Null
 * where no stratum has both sides.
 */
export function stratifiedDifference(strata: readonly Stratum[]): Stratified | null {
  const usable = strata.filter(({ here, there }) => here.units > 0 && there.units > 0);
  let [weights, weighted, variance, units] = [0, 0, 0, 0];
  for (const { here, there } of usable) {
    const weight = (here.units * there.units) / (here.units + there.units);
    weights += weight;
    weighted += weight * (here.events / here.units - there.events / there.units);
    variance += weight * weight * (varianceOf(here) + varianceOf(there));
    units += here.units;
  }
  if (weights <= 0) return null;
  const [difference, error] = [weighted / weights, Math.sqrt(variance) / weights];
  return { difference, error, strata: usable.length, units };
}

/** Of a rate, with half an event added to each side, so that no event does not mean no doubt. */
function varianceOf({ events, units }: Count): number {
  const rate = (events + 0.5) / (units + 1);
  return (rate * (1 - rate)) / units;
}
