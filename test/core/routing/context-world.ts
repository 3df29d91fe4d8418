import { callContext, encodeFeatures } from '../../../src/core/routing/call-context.ts';
import { fitThroughChanges } from '../../../src/core/routing/context-drift.ts';
import {
  type ContextRule,
  contextProbabilities,
  createContextScorer,
  scoreContext,
} from '../../../src/core/routing/context-model.ts';
import type { ContextSample } from '../../../src/core/routing/context-rows.ts';
import { FEATURES } from '../../../src/core/routing/prompt-features.ts';
import { createRandom, type Random } from '../../../src/core/routing/random.ts';
import { callOf } from '../../plugins/recording-scope.ts';
import { pick, recoveredAfter, swapped } from './route-world.ts';

/**
 * The world of `route-world.ts` with context: calls are of one of as many kinds as there are
 * targets; each kind has its best target (0.8), the others are evenly between 0.3 and 0.7, in
 * another order for each kind. At half every kind's best and worst change places.
 */
export interface ContextWorld {
  readonly arms: number;
  readonly calls: number;
  readonly seed: number;
  readonly rule: ContextRule | 'uniform';
  /** Whether targets differ by kind at all; else the first is best for all. */
  readonly differ: boolean;
  readonly drift: boolean;
  readonly refit_calls: number;
}

const KINDS: readonly ((random: Random) => string)[] = [
  (r) => `def f_${n(r)}(x): return {x: [${n(r)}]}; fix this function, it throws an error`,
  (r) => `Was kostet das Paket nach Zürich, Bestellung ${n(r)}? Ich möchte es zurückschicken.`,
  (r) => `Prove that $x^${n(r)} + ${n(r)} = \\frac{a}{b}$ has no root, and calculate the sum.`,
  (r) => `Write a poem about the sea and ${words(r)}, in the style of a friend of ${words(r)}.`,
  (r) => `Which?\nA. ${words(r)}\nB. ${words(r)}\nC. ${words(r)}\nD. ${words(r)}`,
  (r) => `Translate into French: ${words(r)} ${words(r)} ${words(r)}`,
  (r) => `Where is my order ${n(r)}? It should have been here on ${words(r)}.`,
  (r) => `翻译这句话：今天天气很好，我们去公园散步吧 ${n(r)}`,
];
const WORDS = 'moon river stone light winter garden house music paper night market story'.split(
  ' ',
);
const n = (random: Random): number => Math.floor(random.uniform() * 900) + 3;
const words = (random: Random): string =>
  [1, 2].map(() => WORDS[Math.floor(random.uniform() * WORDS.length)]).join(' ');

export interface ContextRun {
  readonly regret: number;
  readonly uniform_regret: number;
  /** Share of the best target in the last tenth of the calls before the drift, or of all. */
  readonly settled: number;
  readonly recovered: number | null;
}

const WINDOW = 5000;
const CALLS_AN_HOUR = 1000;

export function runContextWorld(world: ContextWorld): ContextRun {
  const { arms, calls, rule } = world;
  const random = createRandom(`context:${world.seed}`);
  const names = Array.from({ length: arms }, (_, k) => `t${k}`);
  let rates = ratesOf(arms, world.differ);
  const due = new Map<number, ContextSample[]>();
  let seen: ContextSample[] = [];
  let scorer = createContextScorer(fitThroughChanges([], names, 1).fit.model);
  const x = new Float64Array(FEATURES);
  const run = { regret: 0, uniform_regret: 0 };
  const shares = new Float64Array(calls);
  for (let call = 0; call < calls; call += 1) {
    if (world.drift && call === calls / 2) rates = rates.map(swapped);
    seen.push(...(due.get(call) ?? []));
    due.delete(call);
    if (call % world.refit_calls === 0 && rule !== 'uniform') {
      seen = seen.slice(-WINDOW);
      scorer = createContextScorer(fitThroughChanges(seen, names, 0.999).fit.model);
    }
    const kind = Math.floor(random.uniform() * arms);
    const text = (KINDS[kind % KINDS.length] as (random: Random) => string)(random);
    callContext(callOf({ messages: [{ role: 'user', content: text }] }), false, x);
    const given =
      rule === 'uniform' || seen.length === 0 || scorer === null
        ? names.map(() => 1 / arms)
        : (contextProbabilities(
            scoreContext(scorer, x, '', names, true),
            rule,
            scorer.model,
          ) as number[]);
    const arm = pick(given, random.uniform());
    const chances = rates[kind] as number[];
    const top = Math.max(...chances);
    run.regret += top - (chances[arm] as number);
    run.uniform_regret += top - chances.reduce((sum, one) => sum + one, 0) / arms;
    shares[call] = given[chances.indexOf(top)] as number;
    const reward = Number(random.uniform() < (chances[arm] as number));
    const at = call + 1 + Math.floor(random.uniform() * CALLS_AN_HOUR);
    const sample = {
      features: encodeFeatures(x),
      category: '',
      target: names[arm] as string,
      reward,
    };
    due.set(at, [...(due.get(at) ?? []), sample]);
  }
  const half = world.drift ? calls / 2 : calls;
  return {
    ...run,
    settled: average(shares.subarray(half - calls / 20, half)),
    recovered: world.drift ? recoveredAfter(shares.subarray(half)) : null,
  };
}

const average = (values: Float64Array): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;

function ratesOf(arms: number, differ: boolean): number[][] {
  const plain =
    arms === 2
      ? [0.8, 0.5]
      : [0.8, ...Array.from({ length: arms - 1 }, (_, k) => 0.3 + (0.4 * k) / (arms - 2))];
  return Array.from({ length: arms }, (_, kind) =>
    plain.map((_, arm) => plain[differ ? (arm + kind) % arms : arm] as number),
  );
}
