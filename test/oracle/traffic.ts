import { createRandom, type Random } from '../../src/core/series/random.ts';

/**
 * A small world of calls for the detectors' tests: seeded, pure, no database. Users differ in how
 * often they call and in how easily they are pleased, traffic has a day's rhythm, categories differ
 * in how hard they are. Times are milliseconds from 0, which is a midnight.
 */
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export interface TargetPlan {
  readonly name: string;
  readonly weight: number;
  /** Share of calls that fail. */
  readonly error: number;
  /** Median of a log-normal, and the standard deviation of its logarithm. */
  readonly latency_ms: number;
  readonly spread: number;
  /** Share of ratings that are 1 or 2. */
  readonly dissatisfied: number;
  readonly cost_usd: number;
}

/** From `at_ms` on (until `until_ms`), of one target or of all: added, or multiplied. */
export interface Change {
  readonly at_ms: number;
  readonly until_ms?: number;
  readonly target?: string;
  readonly error?: number;
  readonly latency?: number;
  readonly dissatisfied?: number;
  readonly cost?: number;
  /** Share of calls of the hard category. */
  readonly hard?: number;
}

/** Raters of ill will, from `at_ms` on: each rates 1 at every call. */
export interface Attack {
  readonly at_ms: number;
  readonly tenant: string | null;
  readonly raters: number;
  readonly ratings: number;
}

export interface TrafficPlan {
  readonly seed: number;
  readonly days: number;
  readonly calls_a_day: number;
  readonly users: number;
  readonly tenants: number;
  readonly targets: readonly TargetPlan[];
  /** Share of calls that are rated. */
  readonly rated: number;
  readonly hard: number;
  /** How much more often a hard call fails, and how much longer it takes. */
  readonly hardness: number;
  readonly changes?: readonly Change[];
  readonly attacks?: readonly Attack[];
}

export interface CallRecord {
  readonly at_ms: number;
  readonly target: string;
  readonly tenant: string;
  readonly category: string;
  readonly unit: number;
  readonly error: boolean;
  readonly latency_ms: number;
  readonly cost_usd: number;
  /** 1 to 5, or null where it was not rated. */
  readonly rating: number | null;
}

export const TARGETS: readonly TargetPlan[] = [
  {
    name: 'mini',
    weight: 0.6,
    error: 0.01,
    latency_ms: 600,
    spread: 0.5,
    dissatisfied: 0.08,
    cost_usd: 0.001,
  },
  {
    name: 'large',
    weight: 0.4,
    error: 0.02,
    latency_ms: 1100,
    spread: 0.5,
    dissatisfied: 0.05,
    cost_usd: 0.01,
  },
];

export const QUIET_PLAN: TrafficPlan = {
  seed: 1,
  days: 9,
  calls_a_day: 2000,
  users: 1200,
  tenants: 6,
  targets: TARGETS,
  rated: 0.3,
  hard: 0.3,
  hardness: 1.5,
};

interface User {
  readonly unit: number;
  readonly tenant: string;
  /** Multiplies the chance that it is dissatisfied. */
  readonly grumpiness: number;
}

/** All calls of the plan, oldest first. */
export function simulateCalls(plan: TrafficPlan): readonly CallRecord[] {
  const random = createRandom(plan.seed);
  const users = Array.from({ length: plan.users }, (_, unit): User => {
    const grumpiness = Math.min(4, 0.25 + 0.75 * -Math.log(1 - random.next()));
    return { unit, tenant: `t${Math.floor(random.next() ** 2 * plan.tenants)}`, grumpiness };
  });
  const calls: CallRecord[] = [];
  for (let hour = 0; hour < plan.days * 24; hour += 1) {
    const rhythm = 1 + 0.6 * Math.sin(((hour % 24) / 24) * 2 * Math.PI - Math.PI / 2);
    const count = poisson(random, (plan.calls_a_day / 24) * rhythm);
    for (let index = 0; index < count; index += 1) {
      const at_ms = (hour + random.next()) * HOUR_MS;
      // Squared, so that a few users make many of the calls.
      const user = users[Math.floor(random.next() ** 1.5 * users.length)] as User;
      calls.push(callOf(plan, random, user, at_ms));
    }
  }
  for (const [index, attack] of (plan.attacks ?? []).entries()) {
    calls.push(...attackCalls(plan, random, attack, 1_000_000 * (index + 1)));
  }
  return calls.sort((left, right) => left.at_ms - right.at_ms);
}

function callOf(plan: TrafficPlan, random: Random, user: User, at_ms: number): CallRecord {
  const target = pick(plan.targets, random.next());
  const live = (plan.changes ?? []).filter(
    (change) =>
      change.at_ms <= at_ms &&
      at_ms < (change.until_ms ?? Number.POSITIVE_INFINITY) &&
      (change.target === undefined || change.target === target.name),
  );
  const add = (key: 'error' | 'dissatisfied') =>
    live.reduce((sum, change) => sum + (change[key] ?? 0), 0);
  const times = (key: 'latency' | 'cost') =>
    live.reduce((product, change) => product * (change[key] ?? 1), 1);
  const share = live.reduce((now, change) => change.hard ?? now, plan.hard);
  const hard = random.next() < share;
  const harder = hard ? plan.hardness : 1;
  const unhappy = Math.min(0.95, (target.dissatisfied + add('dissatisfied')) * user.grumpiness);
  const rated = random.next() < plan.rated;
  const mood = random.next();
  return {
    at_ms,
    target: target.name,
    tenant: user.tenant,
    category: hard ? 'code' : 'other',
    unit: user.unit,
    error: random.next() < target.error * harder + add('error'),
    latency_ms:
      target.latency_ms * times('latency') * harder * Math.exp(target.spread * random.normal()),
    cost_usd: target.cost_usd * times('cost') * Math.exp(0.6 * random.normal()),
    rating: rated ? (mood < unhappy ? 1 + Math.floor(mood * 2) : 4 + Math.round(mood)) : null,
  };
}

function attackCalls(
  plan: TrafficPlan,
  random: Random,
  { at_ms, tenant, raters, ratings }: Attack,
  first_unit: number,
): readonly CallRecord[] {
  return Array.from({ length: ratings }, (_, index) => {
    const rater = index % raters;
    const user = {
      unit: first_unit + rater,
      tenant: tenant ?? `t${Math.floor(random.next() * plan.tenants)}`,
      grumpiness: 1,
    };
    const until_ms = Math.min(plan.days * DAY_MS, at_ms + DAY_MS);
    const call = callOf(plan, random, user, at_ms + random.next() * (until_ms - at_ms));
    return { ...call, rating: 1 };
  });
}

function pick(targets: readonly TargetPlan[], at: number): TargetPlan {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  for (const target of targets) {
    sum += target.weight / total;
    if (at < sum) return target;
  }
  return targets.at(-1) as TargetPlan;
}

/** Knuth's for small means, the normal's for large ones. */
function poisson(random: Random, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count += 1;
  return count;
}
