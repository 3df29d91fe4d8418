/**
 * What is believed of every arm in every category, as a tree of effects:
 *
 *   reward = base(category) + arm + arm in coarse kind + arm in category + noise
 *
 * each effect normal around 0 with a variance of its own, which is learned (empirical Bayes). Where
 * categories do not differ, their variances go to 0 and the belief is the plain one of an arm;
 * a cold category borrows from its kind, and that from the arm. `base` is common to all arms: it
 * keeps an arm from looking good because it was asked easy questions (Simpson's paradox).
 * Only sums per (category, arm) are kept: n and Σ reward.
 */
export interface TreeBelief {
  readonly arms: number;
  /** Coarse kind of each category. */
  readonly parents: number[];
  /** By category × arms + arm. */
  count: Float64Array;
  sum: Float64Array;
  /** By category. */
  base: Float64Array;
  /** Mean and variance by category × arms + arm, and of what only the arm says. */
  mean: Float64Array;
  variance: Float64Array;
  readonly armMean: Float64Array;
  readonly armVariance: Float64Array;
  readonly scale: Variances;
  /** Rewards learned since all was fitted anew. */
  stale: number;
  total: number;
}

interface Variances {
  /** Of a reward around its mean, in units of m (1 - m). */
  noise: number;
  arm: number;
  coarse: number;
  fine: number;
  grand: number;
}

/** The variances start here, and this many effects are believed to have it. */
const PRIOR = { arm: 0.04, coarse: 0.01, fine: 0.004, base: 0.06 };
const PRIOR_WEIGHT = 12;

export function createTreeBelief(arms: number): TreeBelief {
  return {
    arms,
    parents: [],
    count: new Float64Array(0),
    sum: new Float64Array(0),
    base: new Float64Array(0),
    mean: new Float64Array(0),
    variance: new Float64Array(0),
    armMean: new Float64Array(arms),
    armVariance: new Float64Array(arms).fill(PRIOR.arm),
    scale: { noise: 1, arm: PRIOR.arm, coarse: PRIOR.coarse, fine: PRIOR.fine, grand: 0.5 },
    stale: 0,
    total: 0,
  };
}

/** Makes room for a category; its parent is a coarse kind. Returns at once where it is known. */
export function addCategory(belief: TreeBelief, category: number, parent: number): void {
  const { arms, parents } = belief;
  if (category < parents.length) return;
  parents.push(parent);
  belief.count = grown(belief.count, arms);
  belief.sum = grown(belief.sum, arms);
  belief.mean = grown(belief.mean, arms);
  belief.variance = grown(belief.variance, arms);
  belief.base = grown(belief.base, 1);
  belief.base[category] = baseOf(belief, category);
  for (let arm = 0; arm < arms; arm += 1) fitArm(belief, arm);
}

function grown(values: Float64Array, by: number): Float64Array {
  const more = new Float64Array(values.length + by);
  more.set(values);
  return more;
}

/** Learns one reward, about 0 to 1, and all that follows from it for this arm. */
export function learnTree(belief: TreeBelief, category: number, arm: number, reward: number): void {
  const at = category * belief.arms + arm;
  belief.count[at] = (belief.count[at] as number) + 1;
  belief.sum[at] = (belief.sum[at] as number) + reward;
  belief.total += 1;
  belief.stale += 1;
  if (belief.stale > Math.min(64, 4 + belief.total / 16)) {
    fitAll(belief);
    return;
  }
  belief.base[category] = baseOf(belief, category);
  fitArm(belief, arm);
}

/** Everything counts `gamma` times as much: see `discounted`. */
export function fadeTree(belief: TreeBelief, gamma: number): void {
  for (const values of [belief.count, belief.sum]) {
    for (let at = 0; at < values.length; at += 1) values[at] = (values[at] as number) * gamma;
  }
}

export function fitAll(belief: TreeBelief): void {
  belief.stale = 0;
  fitGrand(belief);
  for (let sweep = 0; sweep < 2; sweep += 1) {
    for (let arm = 0; arm < belief.arms; arm += 1) fitArm(belief, arm);
    for (let category = 0; category < belief.parents.length; category += 1) {
      belief.base[category] = baseOf(belief, category);
    }
  }
  fitVariances(belief);
  for (let arm = 0; arm < belief.arms; arm += 1) fitArm(belief, arm);
}

function fitGrand(belief: TreeBelief): void {
  let n = 2;
  let sum = 1;
  for (let at = 0; at < belief.count.length; at += 1) {
    n += belief.count[at] as number;
    sum += belief.sum[at] as number;
  }
  belief.scale.grand = sum / n;
}

/** Variance of one reward in a cell that is expected to give m. */
function noiseOf(belief: TreeBelief, at: number, category: number): number {
  const m = Math.min(0.95, Math.max(0.05, cellMean(belief, at, category)));
  return Math.max(1e-4, belief.scale.noise * m * (1 - m));
}

function cellMean(belief: TreeBelief, at: number, category: number): number {
  return (belief.base[category] as number) + (belief.mean[at] as number);
}

/** The category's common level: residuals of all arms, shrunk to the grand mean. */
function baseOf(belief: TreeBelief, category: number): number {
  const { arms, count, sum, mean, variance, scale } = belief;
  let precision = 1 / PRIOR.base;
  let weighted = scale.grand * precision;
  for (let arm = 0; arm < arms; arm += 1) {
    const at = category * arms + arm;
    const n = count[at] as number;
    if (n === 0) continue;
    // What is not known of the arm is no reason to move the base for all.
    const weight = 1 / (noiseOf(belief, at, category) / n + (variance[at] as number));
    precision += weight;
    weighted += weight * ((sum[at] as number) / n - (mean[at] as number));
  }
  return weighted / precision;
}

/** Messages up and down one arm's tree: exact, given the bases and the variances. */
function fitArm(belief: TreeBelief, arm: number): void {
  const { arms, parents, count, sum, base, scale } = belief;
  const kinds = parents.reduce((most, parent) => Math.max(most, parent + 1), 0);
  const up = new Float64Array(kinds);
  const upWeighted = new Float64Array(kinds);
  const own = new Float64Array(parents.length);
  for (const [category, parent] of parents.entries()) {
    const at = category * arms + arm;
    const n = count[at] as number;
    if (n === 0) continue;
    const noise = noiseOf(belief, at, category) / n;
    own[category] = noise;
    const precision = 1 / (noise + scale.fine);
    up[parent] = (up[parent] as number) + precision;
    const residual = (sum[at] as number) / n - (base[category] as number);
    upWeighted[parent] = (upWeighted[parent] as number) + precision * residual;
  }
  let precision = 1 / scale.arm;
  let weighted = 0;
  for (let kind = 0; kind < kinds; kind += 1) {
    const p = up[kind] as number;
    if (p === 0) continue;
    const passed = 1 / (1 / p + scale.coarse);
    precision += passed;
    weighted += passed * ((upWeighted[kind] as number) / p);
  }
  belief.armMean[arm] = weighted / precision;
  belief.armVariance[arm] = 1 / precision;
  passDown(belief, arm, { up, upWeighted, own });
}

interface Messages {
  readonly up: Float64Array;
  readonly upWeighted: Float64Array;
  readonly own: Float64Array;
}

function passDown(belief: TreeBelief, arm: number, { up, upWeighted, own }: Messages): void {
  const { arms, parents, count, sum, base, scale } = belief;
  const armMean = belief.armMean[arm] as number;
  const armVariance = belief.armVariance[arm] as number;
  const kindMean = new Float64Array(up.length);
  const kindVariance = new Float64Array(up.length);
  for (let kind = 0; kind < up.length; kind += 1) {
    const p = up[kind] as number;
    const keep = p / (p + 1 / scale.coarse);
    const said = p > 0 ? (upWeighted[kind] as number) / p : 0;
    kindMean[kind] = armMean + keep * (said - armMean);
    kindVariance[kind] = (1 - keep) * scale.coarse + (1 - keep) ** 2 * armVariance;
  }
  for (const [category, parent] of parents.entries()) {
    const at = category * arms + arm;
    const n = count[at] as number;
    const keep = n > 0 ? scale.fine / (scale.fine + (own[category] as number)) : 0;
    const said = n > 0 ? (sum[at] as number) / n - (base[category] as number) : 0;
    const above = kindMean[parent] as number;
    belief.mean[at] = above + keep * (said - above);
    belief.variance[at] =
      (1 - keep) * scale.fine + (1 - keep) ** 2 * (kindVariance[parent] as number);
  }
}

/**
 * Variances by MacKay's fixed point: Σ effect² / Σ (1 - posterior / prior variance), with a prior.
 * The effects are those of the last fit.
 */
function fitVariances(belief: TreeBelief): void {
  const { arms, parents, count, scale, mean } = belief;
  const fine = { square: PRIOR_WEIGHT * PRIOR.fine, known: PRIOR_WEIGHT };
  const coarse = { square: PRIOR_WEIGHT * PRIOR.coarse, known: PRIOR_WEIGHT };
  const whole = { square: PRIOR_WEIGHT * PRIOR.arm, known: PRIOR_WEIGHT };
  for (let arm = 0; arm < arms; arm += 1) {
    const armMean = belief.armMean[arm] as number;
    whole.square += armMean ** 2;
    whole.known += Math.max(0, 1 - (belief.armVariance[arm] as number) / scale.arm);
    const kinds = kindEffects(belief, arm);
    for (const { effect, keep } of kinds.values()) {
      coarse.square += (effect - armMean) ** 2;
      coarse.known += keep;
    }
    for (const [category, parent] of parents.entries()) {
      const at = category * arms + arm;
      const n = count[at] as number;
      if (n === 0) continue;
      const above = kinds.get(parent)?.effect ?? armMean;
      fine.square += ((mean[at] as number) - above) ** 2;
      fine.known += scale.fine / (scale.fine + noiseOf(belief, at, category) / n);
    }
  }
  scale.fine = bounded(fine.square / fine.known);
  scale.coarse = bounded(coarse.square / coarse.known);
  scale.arm = bounded(whole.square / whole.known);
}

const bounded = (variance: number): number => Math.min(0.25, Math.max(1e-5, variance));

/** Each coarse kind's effect for an arm, and how much of it is data rather than the prior. */
function kindEffects(
  belief: TreeBelief,
  arm: number,
): ReadonlyMap<number, { readonly effect: number; readonly keep: number }> {
  const { arms, parents, count, sum, base, scale } = belief;
  const sums = new Map<number, { p: number; weighted: number }>();
  for (const [category, parent] of parents.entries()) {
    const at = category * arms + arm;
    const n = count[at] as number;
    if (n === 0) continue;
    const p = 1 / (noiseOf(belief, at, category) / n + scale.fine);
    const one = sums.get(parent) ?? { p: 0, weighted: 0 };
    one.p += p;
    one.weighted += p * ((sum[at] as number) / n - (base[category] as number));
    sums.set(parent, one);
  }
  const armMean = belief.armMean[arm] as number;
  const effects = [...sums].map(([kind, { p, weighted }]) => {
    const keep = p / (p + 1 / scale.coarse);
    return [kind, { effect: armMean + keep * (weighted / p - armMean), keep }] as const;
  });
  return new Map(effects);
}
