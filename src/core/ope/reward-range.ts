export type Range = readonly [least: number, most: number];

/** No policy earns less than the least reward on average, or more than the most. */
export function within(value: number, [least, most]: Range): number {
  return Math.min(most, Math.max(least, value));
}

export function rewardRange(reward: Float64Array): Range {
  let [least, most] = [Infinity, -Infinity];
  for (const value of reward) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** 1 − 0.025^(1 / n) is about this over n: the rate up to which n rows may well show no event. */
const RULE_OF_THREE = -Math.log(0.025);

/** Where every reward is 0, or every one is 1, the other kind may still be a rare one. */
export function constantInterval(reward: number, ess: number): Range {
  const unseen = Math.min(1, RULE_OF_THREE / ess);
  if (reward === 0) return [0, unseen];
  return reward === 1 ? [1 - unseen, 1] : [reward, reward];
}
