import type { AbArmCounts, AbCounts } from '../../../src/core/ab/compare.ts';
import { type AbEntry, armsOf, drawArm } from '../../../src/core/ab/entry.ts';
import { judgeAb } from '../../../src/core/ab/judge.ts';
import { AB_METRICS, metricsOf } from '../../../src/core/ab/metrics.ts';
import type { AbReport } from '../../../src/core/ab/report.ts';
import { createRandom, type Random } from '../../../src/core/routing/random.ts';

/** What users of one arm are like. */
export interface Manners {
  readonly dissatisfied: number;
  readonly error: number;
  readonly rating: number;
  /** Milliseconds at the middle; users and calls differ by factors. */
  readonly latency: number;
  readonly cost: number;
  /** The share of units that rate. */
  readonly rates: number;
}

export const USUAL: Manners = {
  dissatisfied: 0.2,
  error: 0.03,
  rating: 3.8,
  latency: 800,
  cost: 0.004,
  rates: 0.5,
};

export const entryOf = (over: Partial<AbEntry> = {}): AbEntry => ({
  agent: 'desk',
  unit: 'user',
  arms: { control: { share: 0.5 }, friendly: { share: 0.5, set: { prompt: 'tone@2' } } },
  metric: 'dissatisfied',
  also: [],
  guardrails: {},
  at_end: 'report',
  on_stop: 'control',
  run: 1,
  ...over,
  stop: {
    alpha: 0.05,
    units_min: 100,
    hours_min: 0,
    units_max: 20_000,
    days_max: 14,
    min_effect: 0,
    ...over.stop,
  },
});

interface Person {
  readonly arm: string;
  readonly values: Map<string, number>;
  /** How slow and how kind this one is, whoever answers. */
  readonly pace: number;
  readonly mood: number;
}

/**
 * Users who come, and come back, one call after another; judged after every `look` calls, until a
 * rule stops the experiment. Seeded. What a unit shows is added up as the store adds it up.
 */
export function liveThrough(
  entry: AbEntry,
  mannersOf: (arm: string) => Manners,
  options: {
    readonly seed: number;
    readonly calls: number;
    readonly look: number;
    /** Calls a user, on average. */
    readonly returning?: number;
    /** The chance that a unit of this arm is lost before it is counted. */
    readonly lost?: (arm: string) => number;
  },
): { readonly report: AbReport; readonly calls: number } {
  const random = createRandom(options.seed);
  const people: Person[] = [];
  const dropped: Record<string, string> = {};
  let report = judgeAb({ entry, counts: {}, age_ms: 0, dropped });
  for (let call = 1; call <= options.calls; call += 1) {
    const person = someone(entry, people, random, options);
    if (person && !(person.arm in dropped)) visit(person, mannersOf(person.arm), random);
    if (call % options.look !== 0) continue;
    report = judgeAb({ entry, counts: countsOf(entry, people), age_ms: call * 10_000, dropped });
    if (report.step.kind === 'drop') dropped[report.step.arm] = report.step.reason;
    if (report.step.kind === 'stop') return { report, calls: call };
  }
  return { report, calls: options.calls };
}

function someone(
  entry: AbEntry,
  people: Person[],
  random: Random,
  options: { readonly seed: number; readonly returning?: number; lost?: (arm: string) => number },
): Person | null {
  const { returning = 1, lost = () => 0 } = options;
  if (people.length > 0 && random.uniform() > 1 / returning) {
    return people[Math.floor(random.uniform() * people.length)] ?? null;
  }
  const arms = armsOf(entry).map(([name, { share }]) => ({ name, share }));
  const arm = drawArm(`world ${options.seed}`, `u:${people.length} ${random.uniform()}`, arms);
  if (arm === null || random.uniform() < lost(arm.name)) return null;
  const person: Person = {
    arm: arm.name,
    values: new Map(),
    pace: Math.exp(0.4 * random.normal()),
    mood: random.normal(),
  };
  people.push(person);
  return person;
}

function visit({ values, pace, mood }: Person, manners: Manners, random: Random): void {
  const add = (name: string, value: number): void => {
    values.set(name, (values.get(name) ?? 0) + value);
  };
  add('assigned', 1);
  if (random.uniform() < manners.error) {
    add('error', 1);
    return;
  }
  add('ok', 1);
  add('latency', 1000 * manners.latency * pace * Math.exp(0.5 * random.normal()));
  add('cost', 1e9 * manners.cost * pace * Math.exp(random.normal()));
  if (random.uniform() >= manners.rates) return;
  add('rated', 1);
  add('ratings', 1);
  const rating = Math.min(5, Math.max(1, manners.rating + 0.5 * mood + 0.7 * random.normal()));
  add('rating', 1000 * rating);
  if (random.uniform() < manners.dissatisfied) add('dissatisfied', 1);
}

/** As `store/ab-counts.ts` does it in SQL. */
function countsOf(entry: AbEntry, people: readonly Person[]): AbCounts {
  const arms = armsOf(entry).map(([arm]): [string, AbArmCounts] => {
    const own = people.filter((person) => person.arm === arm);
    const units: Record<string, number> = {};
    for (const { values } of own) {
      for (const name of values.keys()) units[name] = (units[name] ?? 0) + 1;
    }
    const means = metricsOf(entry).flatMap((metric) => {
      const { kind, event, per, log, scale } = AB_METRICS[metric];
      if (kind === 'units') return [];
      const values = own.flatMap((person) => {
        const n = person.values.get(per);
        if (n === undefined) return [];
        const value = (scale * (person.values.get(event) ?? 0)) / n;
        return [log ? Math.log(value) : value];
      });
      return [[metric, momentsOf(values)] as const];
    });
    return [arm, { units, means: Object.fromEntries(means) }];
  });
  return Object.fromEntries(arms);
}

function momentsOf(values: readonly number[]) {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, variance: squares / Math.max(1, n - 1) };
}
