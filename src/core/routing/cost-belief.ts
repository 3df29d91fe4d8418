/**
 * What an arm's call costs in a category, from few calls: cost = price(arm) × size(category), for a
 * long answer is long with every model, corrected by what the cell itself has shown.
 */
export interface CostBelief {
  readonly arms: number;
  /** By category × arms + arm. */
  count: Float64Array;
  sum: Float64Array;
  /** By arm: costs, and the sizes that they were paid for. */
  readonly paid: Float64Array;
  readonly sized: Float64Array;
  /** By category: sizes seen (cost / price of the arm), and calls. */
  size: Float64Array;
  calls: Float64Array;
}

/** Calls that price × size counts for in a cell; calls of size 1 that a category starts with. */
const CELL_PRIOR = 4;
const SIZE_PRIOR = 2;

export function createCostBelief(arms: number): CostBelief {
  return {
    arms,
    count: new Float64Array(0),
    sum: new Float64Array(0),
    paid: new Float64Array(arms),
    sized: new Float64Array(arms),
    size: new Float64Array(0),
    calls: new Float64Array(0),
  };
}

export function learnCost(belief: CostBelief, category: number, arm: number, cost: number): void {
  makeRoom(belief, category);
  const at = category * belief.arms + arm;
  belief.count[at] = (belief.count[at] as number) + 1;
  belief.sum[at] = (belief.sum[at] as number) + cost;
  const size = sizeOf(belief, category);
  const price = priceOf(belief, arm);
  belief.paid[arm] = (belief.paid[arm] as number) + cost;
  belief.sized[arm] = (belief.sized[arm] as number) + size;
  // The first call of an arm tells its price, not how large the category's calls are.
  if (price <= 0) return;
  const ratio = Math.min(20, Math.max(0.05, cost / price));
  belief.size[category] = (belief.size[category] as number) + ratio;
  belief.calls[category] = (belief.calls[category] as number) + 1;
}

/** Expected cost; of an arm never tried the lowest of all known, so that it is tried once. */
export function expectedCost(belief: CostBelief, category: number, arm: number): number {
  makeRoom(belief, category);
  const price = (belief.sized[arm] as number) > 0 ? priceOf(belief, arm) : lowestPrice(belief);
  const at = category * belief.arms + arm;
  const prior = price * sizeOf(belief, category);
  return (
    ((belief.sum[at] as number) + CELL_PRIOR * prior) / ((belief.count[at] as number) + CELL_PRIOR)
  );
}

function sizeOf({ size, calls }: CostBelief, category: number): number {
  return ((size[category] as number) + SIZE_PRIOR) / ((calls[category] as number) + SIZE_PRIOR);
}

function priceOf({ paid, sized }: CostBelief, arm: number): number {
  const of = sized[arm] as number;
  return of > 0 ? (paid[arm] as number) / of : 0;
}

function lowestPrice(belief: CostBelief): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let arm = 0; arm < belief.arms; arm += 1) {
    if ((belief.sized[arm] as number) > 0) lowest = Math.min(lowest, priceOf(belief, arm));
  }
  return Number.isFinite(lowest) ? lowest : 0;
}

function makeRoom(belief: CostBelief, category: number): void {
  while (belief.calls.length <= category) {
    belief.size = longer(belief.size, 1);
    belief.calls = longer(belief.calls, 1);
    belief.count = longer(belief.count, belief.arms);
    belief.sum = longer(belief.sum, belief.arms);
  }
}

function longer(values: Float64Array, by: number): Float64Array {
  const more = new Float64Array(values.length + by);
  more.set(values);
  return more;
}
