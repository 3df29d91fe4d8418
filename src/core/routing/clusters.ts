/**
 * Kinds of prompts, found as they come (leader clustering, Hartigan 1975): a vector joins the
 * nearest centre if that is near enough. One that is far from all is remembered, and only when a
 * second one comes near it do the two found a kind: oddities found none. Two levels: fine kinds,
 * each within one coarse kind. A kind never moves to another parent and is never removed, so what
 * is known of it stays true. Nearness is the cosine around the mean of all vectors.
 */
export interface Clusters {
  readonly d: number;
  readonly mean: Float64Array;
  readonly fine: Centres;
  readonly coarse: Centres;
  /** Coarse kind of each fine one. */
  readonly parents: number[];
  seen: number;
}

export interface Centres {
  readonly centres: Float64Array[];
  readonly counts: number[];
  /** Vectors far from all centres, the newest last. */
  readonly odd: Float64Array[];
}

export interface ClusterSettings {
  /** Cosines from which a vector belongs to a centre. */
  readonly fine_cosine: number;
  readonly coarse_cosine: number;
  readonly fine_max: number;
  readonly coarse_max: number;
}

export const CLUSTER_DEFAULTS: ClusterSettings = {
  fine_cosine: 0.5,
  coarse_cosine: 0.3,
  fine_max: 48,
  coarse_max: 24,
};

/** Odd vectors that are remembered. */
const ODD_MAX = 24;

export function createClusters(d: number): Clusters {
  return {
    d,
    mean: new Float64Array(d),
    fine: { centres: [], counts: [], odd: [] },
    coarse: { centres: [], counts: [], odd: [] },
    parents: [],
    seen: 0,
  };
}

/** The fine kind of a vector, founding one if need be; centres move a little. */
export function assignCluster(
  clusters: Clusters,
  x: Float64Array,
  settings: ClusterSettings = CLUSTER_DEFAULTS,
): number {
  const { mean, fine, coarse, parents } = clusters;
  clusters.seen += 1;
  shift(mean, x, 1 / clusters.seen);
  const index = settle(fine, mean, x, [settings.fine_cosine, settings.fine_max]);
  if (index === parents.length) {
    const centre = fine.centres[index] as Float64Array;
    parents.push(settle(coarse, mean, centre, [settings.coarse_cosine, settings.coarse_max], true));
  } else move(coarse, parents[index] as number, x);
  return index;
}

function settle(
  group: Centres,
  mean: Float64Array,
  x: Float64Array,
  [near, max]: readonly [number, number],
  atOnce = false,
): number {
  const { centres, counts, odd } = group;
  const best = nearest(centres, mean, x);
  if (best.index >= 0 && (best.cosine >= near || centres.length >= max)) {
    move(group, best.index, x);
    return best.index;
  }
  const twin = nearest(odd, mean, x);
  if (best.index < 0 || atOnce || twin.cosine >= near) {
    const centre = x.slice();
    if (twin.cosine >= near) shift(centre, odd.splice(twin.index, 1)[0] as Float64Array, 0.5);
    centres.push(centre);
    counts.push(1);
    return centres.length - 1;
  }
  odd.push(x.slice());
  if (odd.length > ODD_MAX) odd.shift();
  return best.index;
}

function nearest(
  centres: readonly Float64Array[],
  mean: Float64Array,
  x: Float64Array,
): { readonly index: number; readonly cosine: number } {
  let index = -1;
  let cosine = Number.NEGATIVE_INFINITY;
  let own = 0;
  for (let at = 0; at < x.length; at += 1) own += ((x[at] as number) - (mean[at] as number)) ** 2;
  for (let candidate = 0; candidate < centres.length; candidate += 1) {
    const centre = centres[candidate] as Float64Array;
    let product = 0;
    let square = 0;
    for (let at = 0; at < x.length; at += 1) {
      const around = (centre[at] as number) - (mean[at] as number);
      product += around * ((x[at] as number) - (mean[at] as number));
      square += around * around;
    }
    const one = product / (Math.sqrt(square * own) || 1);
    if (one > cosine) {
      cosine = one;
      index = candidate;
    }
  }
  return { index, cosine };
}

/** The mean of a kind's vectors; from 200 on a moving one, so that it follows slow change. */
function move({ centres, counts }: Centres, index: number, x: Float64Array): void {
  const count = (counts[index] as number) + 1;
  counts[index] = count;
  shift(centres[index] as Float64Array, x, 1 / Math.min(count, 200));
}

function shift(centre: Float64Array, towards: Float64Array, rate: number): void {
  for (let at = 0; at < centre.length; at += 1) {
    const old = centre[at] as number;
    centre[at] = old + rate * ((towards[at] as number) - old);
  }
}
