import type { ArmSums } from './best-arm.ts';

/** One matured reward of a target. */
export interface RoutedReward {
  readonly category: string;
  readonly target: string;
  readonly reward: number;
  /** Whose call it was; left out, each is somebody else’s. */
  readonly unit?: string;
}

/** A target whose rewards are no longer what they were. */
export interface RewardChange {
  readonly category: string;
  readonly target: string;
  /** Place in the list of the first reward after the change. */
  readonly at: number;
}

/** The chance of a false alarm in a look at one target of one category. */
const ALARM = 0.01;
/** Rewards on each side of a change. */
const SIDE_MIN = 5;
const CHANGES_MAX = 4;
/** Newest rewards of one unit that may show a change: what one user says is no change. */
const UNIT_MAX = 3;
/** What the other targets' rewards before a change count for, at most: others may have changed. */
const OTHERS_KEPT = 3;

/**
 * Where targets' rewards changed: the generalised likelihood ratio of two means against one, at all
 * places, above ln(3 n √n / α) (Besson et al. 2022, GLR-klUCB), by target and category, so that
 * another mix of categories is no change, and of no more than three rewards a unit. `rewards` are
 * oldest first.
 */
export function rewardChanges(rewards: readonly RoutedReward[]): readonly RewardChange[] {
  const cells = new Map<string, { readonly places: number[]; readonly values: number[] }>();
  const places = [...rewards.keys()].filter(fewOfEach(rewards));
  for (const at of places) {
    const { category, target, reward } = rewards[at] as RoutedReward;
    const key = `${category}\t${target}`;
    const cell = cells.get(key) ?? { places: [], values: [] };
    cells.set(key, cell);
    cell.places.push(at);
    cell.values.push(reward);
  }
  return [...cells.values()].flatMap(({ places, values }) => {
    const split = lastChange(values);
    const first = rewards[places[0] as number] as RoutedReward;
    if (split === null) return [];
    const { category, target } = first;
    return [{ category, target, at: places[split] as number }];
  });
}

/** Whether a reward is among the newest few of its unit, target and category. */
function fewOfEach(rewards: readonly RoutedReward[]): (at: number) => boolean {
  const kept = new Uint8Array(rewards.length);
  const counts = new Map<string, number>();
  for (let at = rewards.length - 1; at >= 0; at -= 1) {
    const { unit, category, target } = rewards[at] as RoutedReward;
    const key = `${unit}\t${category}\t${target}`;
    const count = unit === undefined ? 0 : (counts.get(key) ?? 0);
    if (unit !== undefined) counts.set(key, count + 1);
    kept[at] = count < UNIT_MAX ? 1 : 0;
  }
  return (at) => kept[at] === 1;
}

/** The newest change's place, or null: what is after one change is looked at again. */
function lastChange(values: readonly number[]): number | null {
  let from = 0;
  for (let change = 0; change < CHANGES_MAX; change += 1) {
    const split = changeIn(values.slice(from));
    if (split === null) break;
    from += split;
  }
  return from === 0 ? null : from;
}

function changeIn(values: readonly number[]): number | null {
  const n = values.length;
  if (n < 2 * SIDE_MIN) return null;
  const total = values.reduce((sum, one) => sum + one, 0);
  const mean = total / n;
  const unit = values.every((one) => one >= 0 && one <= 1);
  const spread = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / n;
  const gain = unit ? bernoulliGain(mean) : (m: number) => (m - mean) ** 2 / (2 * spread || 1);
  let top = Math.log((3 * n * Math.sqrt(n)) / ALARM);
  let best: number | null = null;
  let before = 0;
  for (let split = 1; split <= n - SIDE_MIN; split += 1) {
    before += values[split - 1] as number;
    if (split < SIDE_MIN) continue;
    const after = n - split;
    const ratio = split * gain(before / split) + after * gain((total - before) / after);
    if (ratio > top) {
      top = ratio;
      best = split;
    }
  }
  return best;
}

/** Kullback and Leibler's divergence of Bernoulli(m) from Bernoulli(mean). */
function bernoulliGain(mean: number): (m: number) => number {
  const q = Math.min(1 - 1e-9, Math.max(1e-9, mean));
  const term = (p: number, against: number): number => (p <= 0 ? 0 : p * Math.log(p / against));
  return (m) => term(m, q) + term(1 - m, 1 - q);
}

/**
 * What each reward counts: `discount` to the power of how many came after it. What a target earned
 * before it changed counts nothing; what the others of the category earned before counts for three
 * rewards at most, for what changed one may have changed the others, and of who is asked seldom it
 * would be noticed late.
 */
export function rewardWeights(
  rewards: readonly RoutedReward[],
  discount: number,
  changes: readonly RewardChange[] = rewardChanges(rewards),
  others_kept: number = OTHERS_KEPT,
): Float64Array {
  const weights = Float64Array.from(rewards, (_, at) => discount ** (rewards.length - 1 - at));
  for (const change of changes) {
    const others = new Map<string, number>();
    for (let at = 0; at < change.at; at += 1) {
      const { category, target } = rewards[at] as RoutedReward;
      if (category !== change.category) continue;
      if (target === change.target) weights[at] = 0;
      else others.set(target, (others.get(target) ?? 0) + (weights[at] as number));
    }
    for (let at = 0; at < change.at; at += 1) {
      const { category, target } = rewards[at] as RoutedReward;
      const kept = others.get(target);
      if (category !== change.category || kept === undefined || kept <= others_kept) continue;
      weights[at] = ((weights[at] as number) * others_kept) / kept;
    }
  }
  return weights;
}

/** By category and target; the category '' is of all. */
export type RewardSums = ReadonlyMap<string, ReadonlyMap<string, ArmSums>>;

/**
 * Undiscounted, each unit once, by the mean of its rewards of a target: what one user says is no
 * news each time.
 */
export function sumUnits(rewards: readonly RoutedReward[]): RewardSums {
  const means = new Map<string, { readonly place: string[]; n: number; sum: number }>();
  for (const [at, { category, target, reward, unit = `#${at}` }] of rewards.entries()) {
    for (const cell of category === '' ? [''] : ['', category]) {
      const place = [cell, target, unit];
      const key = place.join('\n');
      const mean = means.get(key) ?? { place, n: 0, sum: 0 };
      means.set(key, mean);
      mean.n += 1;
      mean.sum += reward;
    }
  }
  const sums = new Map<string, Map<string, ArmSums>>();
  for (const { place, n, sum: total } of means.values()) {
    const [cell = '', target = ''] = place;
    const arms = sums.get(cell) ?? new Map<string, ArmSums>();
    sums.set(cell, arms);
    const arm = arms.get(target) ?? { n: 0, sum: 0, squares: 0 };
    const mean = total / n;
    const squares = arm.squares + mean * mean;
    arms.set(target, { n: arm.n + 1, sum: arm.sum + mean, squares });
  }
  return sums;
}

export function sumRewards(
  rewards: readonly RoutedReward[],
  weights: ArrayLike<number> | null,
): RewardSums {
  const sums = new Map<string, Map<string, { n: number; sum: number; squares: number }>>();
  for (const [at, { category, target, reward }] of rewards.entries()) {
    const weight = weights === null ? 1 : (weights[at] as number);
    for (const cell of category === '' ? [''] : ['', category]) {
      const arms = sums.get(cell) ?? new Map<string, { n: number; sum: number; squares: number }>();
      sums.set(cell, arms);
      const arm = arms.get(target) ?? { n: 0, sum: 0, squares: 0 };
      arms.set(target, arm);
      arm.n += weight;
      arm.sum += weight * reward;
      arm.squares += weight * reward * reward;
    }
  }
  return sums;
}
