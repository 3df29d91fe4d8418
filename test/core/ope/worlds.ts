import { type Evaluation, evaluateTarget } from '../../../src/core/ope/evaluate.ts';
import { createDecisionLog, type LoggedDecision } from '../../../src/core/ope/log.ts';

/** mulberry32: a small seeded generator, so that a simulation gives the same figures everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A bandit problem with a known truth. */
export interface World {
  readonly actions: number;
  readonly context: (random: () => number) => readonly number[];
  /** Expected reward of an action in a context; rewards are 0 or 1. */
  readonly reward: (x: readonly number[], action: number) => number;
  readonly logged: (x: readonly number[]) => readonly number[];
  readonly target: (x: readonly number[]) => readonly number[];
}

export interface Sample {
  readonly log: readonly LoggedDecision[];
  readonly target: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export function softmax(scores: readonly number[]): readonly number[] {
  const top = Math.max(...scores);
  const raised = scores.map((score) => Math.exp(score - top));
  const sum = raised.reduce((total, one) => total + one, 0);
  return raised.map((one) => one / sum);
}

function pick(probabilities: readonly number[], random: () => number): number {
  let left = random();
  for (const [index, share] of probabilities.entries()) {
    left -= share;
    if (left < 0) return index;
  }
  return probabilities.length - 1;
}

/** A log of the world; with `perUnit` above 1, rows of a unit share their context and mood. */
export function sample(world: World, rows: number, seed: number, perUnit = 1): Sample {
  const random = seeded(seed);
  const names = Array.from({ length: world.actions }, (_, index) => `a${index}`);
  const target = new Map<string, ReadonlyMap<string, number>>();
  const log: LoggedDecision[] = [];
  let x = world.context(random);
  let mood = random();
  for (let row = 0; row < rows; row += 1) {
    if (row % perUnit === 0) {
      x = world.context(random);
      mood = random();
    }
    const logged = world.logged(x);
    const action = pick(logged, random);
    const luck = perUnit > 1 && random() < 0.5 ? mood : random();
    const id = `r${row}`;
    log.push({
      id,
      context: [...x],
      actions: names,
      action: names[action] as string,
      propensity: logged[action] as number,
      reward: luck < world.reward(x, action) ? 1 : 0,
      ...(perUnit > 1 ? { unit: `u${Math.floor(row / perUnit)}` } : {}),
    });
    const shares = world.target(x);
    target.set(id, new Map(names.map((name, index) => [name, shares[index] as number])));
  }
  return { log, target };
}

/** The target's true value, by integrating over many contexts. */
export function trueValue(world: World, seed: number, contexts = 200_000): number {
  const random = seeded(seed);
  let sum = 0;
  for (let count = 0; count < contexts; count += 1) {
    const x = world.context(random);
    for (const [action, share] of world.target(x).entries()) {
      if (share > 0) sum += share * world.reward(x, action);
    }
  }
  return sum / contexts;
}

export function evaluate({ log, target }: Sample, wide_rows_max?: number): Evaluation {
  const decisions = createDecisionLog(wide_rows_max);
  for (const row of log) decisions.add(row);
  const evaluating = evaluateTarget(decisions);
  for (const [id, probabilities] of target) evaluating.add(id, probabilities);
  return evaluating.result();
}

function coefficients(count: number, size: number, seed: number): readonly (readonly number[])[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => Array.from({ length: size }, () => normal(random)));
}

const dot = (left: readonly number[], right: readonly number[]): number =>
  left.reduce((sum, value, at) => sum + value * (right[at] as number), 0);

/** Rewards that depend on context and action; logged by a soft policy, the target another one. */
export function logisticWorld(actions: number, size: number, seed: number): World {
  const truth = coefficients(actions, size + 1, seed);
  const logging = coefficients(actions, size + 1, seed + 1);
  const scores = (x: readonly number[], of: readonly (readonly number[])[], by: number) =>
    of.map((row) => by * dot(row, [1, ...x]));
  return {
    actions,
    context: (random) => Array.from({ length: size }, () => normal(random)),
    reward: (x, action) => 1 / (1 + Math.exp(-dot(truth[action] as number[], [1, ...x]) + 1)),
    logged: (x) => softmax(scores(x, logging, 0.5)),
    target: (x) => softmax(scores(x, truth, 1)),
  };
}

/** Clicks of a few in a thousand over many items; uniform log, a target that prefers the best. */
export function clicksWorld(
  actions: number,
  seed: number,
  { rate = 0.004, uniform = true }: { rate?: number; uniform?: boolean } = {},
): World {
  const random = seeded(seed);
  const clicks = Array.from({ length: actions }, () => rate * Math.exp(0.5 * normal(random)));
  const even = clicks.map(() => 1 / actions);
  const skewed = softmax(clicks.map((click) => 1.5 * (click / rate)));
  return {
    actions,
    context: (draw) => Array.from({ length: 5 }, () => (draw() < 0.3 ? 1 : 0)),
    reward: (x, action) => (clicks[action] as number) * (1 + 0.5 * (x[0] as number)),
    logged: () => (uniform ? even : skewed),
    target: () => (uniform ? skewed : even),
  };
}

/** Classification as a bandit: an action is a label, and only the right one earns. */
export function labelsWorld(labels: number, size: number, seed: number): World {
  const centres = coefficients(labels, size, seed);
  const nearest = (x: readonly number[]): number => {
    const far = centres.map((centre) =>
      centre.reduce((sum, value, at) => sum + (value - (x[at] as number)) ** 2, 0),
    );
    return far.indexOf(Math.min(...far));
  };
  const soft = (x: readonly number[], sure: number, by: number): readonly number[] => {
    const guess = nearest(x.map((value, at) => (at % 3 === 0 ? value * by : value)));
    return centres.map((_, label) => (label === guess ? sure : (1 - sure) / (labels - 1)));
  };
  return {
    actions: labels,
    context: (random) => {
      const centre = centres[Math.floor(random() * labels)] as readonly number[];
      return centre.map((value) => value + 0.8 * normal(random));
    },
    reward: (x, action) => (nearest(x) === action ? 1 : 0),
    logged: (x) => soft(x, 0.4, 0.2),
    target: (x) => soft(x, 0.9, 0.6),
  };
}
