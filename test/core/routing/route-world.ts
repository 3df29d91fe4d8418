import { provenBest } from '../../../src/core/routing/best-arm.ts';
import { createRandom } from '../../../src/core/routing/random.ts';
import type { RoutedReward } from '../../../src/core/routing/reward-weights.ts';
import {
  beliefAfter,
  ROUTE_BANDIT,
  type RouteBanditSettings,
  tableOf,
} from '../../../src/core/routing/route-belief.ts';

/**
 * The world that routing is held to: K targets, the best succeeds with 0.8, the others evenly
 * between 0.3 and 0.7 (K = 2: 0.5); 1,000 calls an hour; at half the best and the worst change
 * places; feedback comes 0 to 60 minutes late; a new table each minute.
 */
export interface WorldRun {
  readonly regret: number;
  readonly uniform_regret: number;
  /** Calls after the drift until the new best has half of the next 500 calls; null: never. */
  readonly recovered: number | null;
  /** Calls until the first best was proven, or null. */
  readonly proven: number | null;
}

export interface World {
  readonly arms: number;
  readonly calls: number;
  readonly drift: boolean;
  readonly seed: number;
  readonly settings: RouteBanditSettings | 'uniform';
}

const CALLS_AN_HOUR = 1000;
/** Rewards that a table is made of, as the worker has it. */
const WINDOW = 5000;
const CALLS_A_MINUTE = CALLS_AN_HOUR / 60;

export function ratesOf(arms: number): readonly number[] {
  if (arms === 2) return [0.8, 0.5];
  return [0.8, ...Array.from({ length: arms - 1 }, (_, k) => 0.3 + (0.4 * k) / (arms - 2))];
}

export function runWorld({ arms, calls, drift, seed, settings }: World): WorldRun {
  const random = createRandom(`world:${seed}`);
  const names = Array.from({ length: arms }, (_, k) => `t${k}`);
  let rates = [...ratesOf(arms)];
  const even = names.map(() => 1 / arms);
  let table: readonly number[] = even;
  const rewards: RoutedReward[] = [];
  const due = new Map<number, { arm: number; reward: number }[]>();
  const sums = names.map(() => ({ n: 0, sum: 0, squares: 0 }));
  const run = { regret: 0, uniform_regret: 0, proven: null as number | null };
  const shares = new Float64Array(calls);
  let minute = 0;
  const nextMinute = (call: number): void => {
    minute += 1;
    for (const { arm, reward } of due.get(minute) ?? []) {
      count(sums[arm] as Sums, reward);
      const target = names[arm] as string;
      rewards.push({ category: '', target, reward });
    }
    due.delete(minute);
    run.proven ??= provenBest(sums) === null ? null : call;
    if (settings === 'uniform') return;
    const belief = beliefAfter('beta', rewards.slice(-WINDOW), settings);
    table = tableOf(belief, names, settings).by[''] as number[];
  };
  // Without drift a run is about the proof, and ends with it.
  for (let call = 0; call < calls && (drift || run.proven === null); call += 1) {
    if (drift && call === calls / 2) rates = swapped(rates);
    if (call >= (minute + 1) * CALLS_A_MINUTE) nextMinute(call);
    const arm = pick(table, random.uniform());
    const top = Math.max(...rates);
    run.regret += top - (rates[arm] as number);
    run.uniform_regret += top - rates.reduce((sum, rate) => sum + rate, 0) / arms;
    const reward = random.uniform() < (rates[arm] as number) ? 1 : 0;
    const at = minute + 1 + Math.floor(random.uniform() * 60);
    due.set(at, [...(due.get(at) ?? []), { arm, reward }]);
    shares[call] = table[rates.indexOf(top)] as number;
  }
  return { ...run, recovered: recoveredAfter(shares.subarray(calls / 2)) };
}

interface Sums {
  n: number;
  sum: number;
  squares: number;
}

function count(one: Sums, reward: number): void {
  one.n += 1;
  one.sum += reward;
  one.squares += reward * reward;
}

const SPAN = 500;

export function recoveredAfter(shares: Float64Array): number | null {
  let sum = 0;
  for (const [call, share] of shares.entries()) {
    sum += share - (shares[call - SPAN] ?? 0);
    if (call >= SPAN && sum >= SPAN / 2) return call - SPAN;
  }
  return null;
}

export function swapped(rates: readonly number[]): number[] {
  const next = [...rates];
  const best = rates.indexOf(Math.max(...rates));
  const worst = rates.indexOf(Math.min(...rates));
  [next[best], next[worst]] = [rates[worst] as number, rates[best] as number];
  return next;
}

export function pick(table: readonly number[], u: number): number {
  let below = 0;
  for (const [arm, p] of table.entries()) {
    below += p;
    if (u < below) return arm;
  }
  return table.length - 1;
}

export const FEWER_DRAWS: RouteBanditSettings = { ...ROUTE_BANDIT, draws: 400 };
