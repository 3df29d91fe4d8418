import { argmax, floored, inverseGapWeights, topTwoProbabilities } from './arm-probabilities.ts';
import {
  createKinds,
  createKindsExpert,
  createLinearExpert,
  createPooledExpert,
  type Expert,
  learnKinds,
  placeCall,
} from './experts.ts';
import { normalBestProbabilities } from './normal-best.ts';
import { FEATURES } from './prompt-features.ts';
import { createRandom } from './random.ts';

/** How the believed utilities become probabilities. */
export const RULES = ['blend', 'thompson', 'top-two', 'ucb', 'squarecb', 'epsilon-greedy'] as const;
export type Rule = (typeof RULES)[number];
/** Who is believed; `auto` weighs all three by what their choices are estimated to be worth. */
export const CONTEXTS = ['auto', 'pooled', 'kinds', 'linear'] as const;
export type Context = (typeof CONTEXTS)[number];

export interface LearnerSettings {
  readonly arms: number;
  readonly cost_weight: number;
  readonly rule: Rule;
  readonly context: Context;
  /** Scales the doubt: 1 is Thompson's, less explores less. */
  readonly explore: number;
  /** The least probability of each arm. */
  readonly floor: number;
  readonly discount: number;
  readonly seed: number | string;
}

export const LEARNER_DEFAULTS = {
  cost_weight: 0,
  rule: 'thompson',
  context: 'auto',
  explore: 0.35,
  floor: 0,
  discount: 1,
  seed: 0,
} as const satisfies Omit<LearnerSettings, 'arms'>;

/**
 * Chooses an arm for one call after another and learns from the chosen one's reward alone: strictly
 * online, no look ahead, memory bounded by arms and kinds. Equal seeds give equal choices.
 */
export interface Learner {
  /** `allowed` has the arms that this call may have; all where it is absent. */
  choose(x: Float64Array, allowed?: readonly number[]): LearnerChoice;
  /** Of the last choice: quality 0 to 1, cost ≥ 0. */
  learn(quality: number, cost: number): void;
  /** The share that each expert has in the choices now. */
  shares(): ReadonlyMap<Expert['name'], number>;
}

export interface LearnerChoice {
  readonly arm: number;
  /** With which it was chosen, exactly. */
  readonly propensity: number;
}

interface Voice {
  readonly expert: Expert;
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  readonly probabilities: Float64Array;
  /** Of its value over the first voice's, by the doubly robust estimate: Σ d, Σ d². */
  sum: number;
  squares: number;
  share: number;
}

/** No voice is silenced for good: its probabilities must stay estimable. */
const SHARE_MIN = 0.02;
/** Odds at the start: `linear` shrinks to `kinds`, that to `pooled`, so it has least to lose. */
const ODDS: Readonly<Record<Expert['name'], number>> = { pooled: 1, kinds: 1, linear: 4 };
/** As if so many calls had shown no difference, with a standard deviation of 0.3. */
const CALM = 30;
/** What one call may say of a voice: as much as a quality can be worth. */
const GAIN_MAX = 1;

export function createLearner(settings: LearnerSettings): Learner {
  const { arms, discount, floor, context } = settings;
  const random = createRandom(`learner:${settings.seed}`);
  const kinds = createKinds(arms);
  const voices = voicesOf(settings, kinds);
  const contextual = context !== 'pooled';
  const x = new Float64Array(FEATURES);
  const mixed = new Float64Array(arms);
  const tries = new Float64Array(arms);
  let arm = -1;
  let calls = 0;
  return {
    choose(features, allowed) {
      x.set(features);
      if (contextual) placeCall(kinds, x);
      mixed.fill(0);
      calls += 1;
      for (const voice of voices) {
        speak(voice, x, { settings, calls, tries, allowed });
        for (let k = 0; k < arms; k += 1) {
          mixed[k] = (mixed[k] as number) + voice.share * (voice.probabilities[k] as number);
        }
      }
      const probabilities = withFloor(mixed, floor, allowed);
      arm = pick(probabilities, random.uniform());
      for (let k = 0; k < arms; k += 1) mixed[k] = probabilities[k] as number;
      return { arm, propensity: mixed[arm] as number };
    },
    learn(quality, cost) {
      if (arm < 0) throw new RangeError('there is no choice to learn of');
      const utility = quality - settings.cost_weight * cost;
      if (voices.length > 1) judge(voices, { arm, utility, propensity: mixed[arm] as number });
      for (const { expert } of voices) expert.learn(x, arm, quality, cost);
      if (contextual) learnKinds(kinds, arm, { quality, cost, discount });
      tries[arm] = (tries[arm] as number) + 1;
      arm = -1;
    },
    shares: () => new Map(voices.map(({ expert, share }) => [expert.name, share])),
  };
}

function voicesOf(settings: LearnerSettings, kinds: ReturnType<typeof createKinds>): Voice[] {
  const made: Readonly<Record<Expert['name'], () => Expert>> = {
    pooled: () => createPooledExpert(settings),
    kinds: () => createKindsExpert(kinds, settings),
    linear: () => createLinearExpert(kinds, settings),
  };
  const names: readonly Expert['name'][] =
    settings.context === 'auto' ? ['pooled', 'kinds', 'linear'] : [settings.context];
  return names.map((name) => ({
    expert: made[name](),
    means: new Float64Array(settings.arms),
    deviations: new Float64Array(settings.arms),
    probabilities: new Float64Array(settings.arms),
    sum: 0,
    squares: 0,
    share: ODDS[name] / names.reduce((sum, one) => sum + ODDS[one], 0),
  }));
}

interface Moment {
  readonly settings: LearnerSettings;
  readonly calls: number;
  readonly tries: Float64Array;
  readonly allowed: readonly number[] | undefined;
}

/** Calls until an arm is no longer new: then half of what `explore` takes off its doubt is off. */
const NOVEL = 4;
/** Calls until what is explored begins to shrink with the root of their number, and how far. */
const EARLY = 800;
const EXPLORE_LEAST = 0.3;
/**
 * What contextual voices explore of it beside the plain one: contexts vary by themselves, so a
 * choice by context is nearly its own exploration (Bastani, Bayati, Khosravi 2021).
 */
const CONTEXT_PART = 0.4;
/** Of inverse gap weighting: γ = this × √(n T), Foster and Rakhlin's rate (2020). */
const GAMMA = 20;
/** Impossible arms are this bad: below anything that a utility can be. */
const NEVER = -1e12;

function speak(voice: Voice, x: Float64Array, { settings, calls, tries, allowed }: Moment): void {
  const { means, deviations } = voice;
  voice.expert.predict(x, means, deviations);
  if (allowed !== undefined && allowed.length < means.length) {
    const may = new Set(allowed);
    for (let k = 0; k < means.length; k += 1) {
      if (may.has(k)) continue;
      means[k] = NEVER;
      deviations[k] = 0;
    }
  }
  const { rule } = settings;
  const shrunk = decayAfter(calls, settings.discount) * partOf(voice, settings);
  const explore = settings.explore * shrunk;
  for (let k = 0; k < means.length; k += 1) {
    // What was hardly tried keeps its whole doubt: two failures at the start prove nothing.
    const novel = NOVEL / (NOVEL + (tries[k] as number));
    const scale = explore + Math.max(0, 1 - explore) * novel;
    deviations[k] = scale * (deviations[k] as number);
  }
  decide(rule, voice, { calls, among: allowed?.length ?? means.length });
}

/**
 * The longer one has learned, the less is left to be gained by knowing more, so less is paid for
 * it; where rewards may change (a discount) it stays as after as many calls as are remembered.
 */
function decayAfter(calls: number, discount: number): number {
  const remembered = discount < 1 ? Math.min(calls, 1 / (1 - discount)) : calls;
  return Math.max(EXPLORE_LEAST, 1 / Math.sqrt(1 + remembered / EARLY));
}

const partOf = ({ expert }: Voice, { context }: LearnerSettings): number =>
  context === 'auto' && expert.name !== 'pooled' ? CONTEXT_PART : 1;

/** Fills the voice's probabilities by its means and its scaled deviations. */
function decide(
  rule: Rule,
  { means, deviations, probabilities }: Voice,
  { calls, among }: { readonly calls: number; readonly among: number },
): void {
  if (rule === 'ucb' || rule === 'epsilon-greedy') {
    const scores = rule === 'ucb' ? means.map((m, k) => m + 2 * (deviations[k] as number)) : means;
    probabilities.fill(rule === 'ucb' ? 0 : 0.1 / among);
    const best = argmax(scores);
    probabilities[best] = (probabilities[best] as number) + (rule === 'ucb' ? 1 : 0.9);
    return;
  }
  if (rule !== 'squarecb') normalBestProbabilities(means, deviations, probabilities);
  if (rule === 'top-two') probabilities.set(topTwoProbabilities(Array.from(probabilities)));
  if (rule === 'thompson' || rule === 'top-two') return;
  const gaps = inverseGapWeights(means, GAMMA * Math.sqrt(among * calls));
  for (let k = 0; k < means.length; k += 1) {
    const gap = gaps[k] as number;
    probabilities[k] = rule === 'squarecb' ? gap : 0.5 * ((probabilities[k] as number) + gap);
  }
}

function withFloor(
  probabilities: Float64Array,
  floor: number,
  allowed: readonly number[] | undefined,
): ArrayLike<number> {
  if (allowed === undefined || allowed.length === probabilities.length) {
    return floor > 0 ? floored(Array.from(probabilities), floor) : probabilities;
  }
  const total = allowed.reduce((sum, k) => sum + (probabilities[k] as number), 0);
  const open = floored(
    allowed.map((k) => (total > 0 ? (probabilities[k] as number) / total : 1 / allowed.length)),
    floor,
  );
  const all = new Float64Array(probabilities.length);
  for (const [index, k] of allowed.entries()) all[k] = open[index] as number;
  return all;
}

function pick(probabilities: ArrayLike<number>, u: number): number {
  let below = 0;
  let last = 0;
  for (let k = 0; k < probabilities.length; k += 1) {
    const p = probabilities[k] as number;
    if (p <= 0) continue;
    below += p;
    last = k;
    if (u < below) return k;
  }
  return last;
}

/**
 * Each voice's value over the first one's by a doubly robust estimate on the learner's own choices
 * (the models' predictions, corrected by what was seen over its propensity); its share is the
 * probability that it is better, so a contextual voice leads only once it has earned it.
 */
function judge(
  voices: readonly Voice[],
  seen: { readonly arm: number; readonly utility: number; readonly propensity: number },
): void {
  const [plain, ...others] = voices as [Voice, ...Voice[]];
  const model = others[0]?.means ?? plain.means;
  const { arm, utility, propensity } = seen;
  const surprise = (utility - (model[arm] as number)) / propensity;
  for (const voice of others) {
    let gain = 0;
    for (let k = 0; k < model.length; k += 1) {
      const more = (voice.probabilities[k] as number) - (plain.probabilities[k] as number);
      if (more !== 0) gain += more * (model[k] as number);
      if (k === arm) gain += more * surprise;
    }
    // One call whose price was a surprise must not decide for thousands.
    const bounded = Math.max(-GAIN_MAX, Math.min(GAIN_MAX, gain));
    voice.sum += bounded;
    voice.squares += bounded * bounded;
  }
  share(plain, others);
}

function share(plain: Voice, others: readonly Voice[]): void {
  // Logistic for the normal's Φ, within 0.01; the odds of several voices are then comparable.
  let total = 1;
  const odds = others.map(({ expert, sum, squares }) => {
    const deviation = Math.sqrt(squares + CALM * 0.09);
    const z = Math.max(-6, Math.min(6, sum / deviation));
    const one = ODDS[expert.name] * Math.exp(1.7 * z);
    total += one;
    return one;
  });
  const room = 1 - SHARE_MIN * (others.length + 1);
  plain.share = SHARE_MIN + room / total;
  for (const [index, voice] of others.entries()) {
    voice.share = SHARE_MIN + (room * (odds[index] as number)) / total;
  }
}
