import { meanEvidenceLn, meanInterval } from '../ab/confidence.ts';
import { eValue } from '../sequential.ts';

/** A choice that earned something, oldest first. */
export interface WorthRow {
  readonly unit: string;
  readonly category: string;
  readonly target: string;
  readonly reward: number;
  /** With which it was chosen; null where that is not known, or not all targets were options. */
  readonly probability: number | null;
}

/** Whether a router that looks at calls earns more than always one and the same target would. */
export interface PolicyWorth {
  /** Units that it is told of, each by its first call. */
  readonly units: number;
  /** By target: what the router earned a call more than always it; least first. */
  readonly over: readonly {
    readonly target: string;
    readonly difference: number;
    /** 95 % confidence sequence; null where there is too little to say. */
    readonly interval: readonly [number, number] | null;
    /** E-value against “no difference”. */
    readonly e: number;
  }[];
  /** `context`: more than each; `single`: less than `target` alone; null: not told apart. */
  readonly verdict: 'context' | 'single' | null;
  readonly target: string | null;
}

/** Units in all, and of a target, below which nothing is told of it: weights reach 50. */
const UNITS_MIN = 200;
const CHOSEN_MIN = 50;

/**
 * The router as it ran against always the target k, at all looks. Of a call that earned r from the
 * target a, drawn with probability p,
 *
 *   D = r − (m + [a = k] (r − m) / p)
 *
 * has the mean of what the router earns more than k would, given all before it, whatever m is that
 * was known before: here the mean of what k had earned in the call's category. So the sum of D less
 * those means is a martingale, also while the router learns and rewards drift, and the mean of D
 * has an asymptotic confidence sequence (Waudby-Smith and others, Annals of Statistics 2024). Each
 * unit counts once, by its first call: a gateway draws by the unit's hash, so that what it does
 * with the unit's next calls is no draw of its own.
 */
export function policyWorth(
  rows: readonly WorthRow[],
  targets: readonly string[],
  delta: number,
): PolicyWorth {
  const sums = targets.map(() => ({ sum: 0, squares: 0, chosen: 0 }));
  const earned = new Map<string, { n: number; sum: number }>();
  const seen = new Set<string>();
  let units = 0;
  for (const { unit, category, target, reward, probability } of rows) {
    if (seen.has(unit)) continue;
    seen.add(unit);
    if (probability === null || probability <= 0 || !targets.includes(target)) continue;
    units += 1;
    targets.forEach((name, k) => {
      const known = earned.get(`${name}|${category}`) ?? earned.get(`${name}|`);
      const mean = known ? known.sum / known.n : 0;
      const alone = mean + (name === target ? (reward - mean) / probability : 0);
      const own = sums[k] as (typeof sums)[number];
      own.sum += reward - alone;
      own.squares += (reward - alone) ** 2;
      if (name === target) own.chosen += 1;
    });
    for (const key of new Set([`${target}|${category}`, `${target}|`])) {
      const known = earned.get(key) ?? { n: 0, sum: 0 };
      earned.set(key, { n: known.n + 1, sum: known.sum + reward });
    }
  }
  const over = targets.map((target, k) => {
    const { sum, squares, chosen } = sums[k] as (typeof sums)[number];
    const mean = units > 0 ? sum / units : 0;
    const variance = units > 1 ? Math.max(0, squares - units * mean * mean) / (units - 1) : 0;
    const moments = { n: units, mean, variance };
    const enough = units >= UNITS_MIN && chosen >= CHOSEN_MIN;
    const interval = enough ? meanInterval(moments, 0.05) : null;
    const e = interval === null ? 1 : eValue(meanEvidenceLn(moments));
    return { target, difference: mean, interval, e };
  });
  over.sort((left, right) => left.difference - right.difference);
  return { units, over, ...verdictOf(over, delta) };
}

function verdictOf(
  over: PolicyWorth['over'],
  delta: number,
): Pick<PolicyWorth, 'verdict' | 'target'> {
  // Any of as many comparisons may be the one that deceives.
  const proven = over.filter(({ e }) => e >= Math.max(1, over.length) / delta);
  const better = proven.find(({ difference }) => difference < 0);
  if (better) return { verdict: 'single', target: better.target };
  const all = over.length > 1 && proven.length === over.length;
  return { verdict: all ? 'context' : null, target: null };
}
