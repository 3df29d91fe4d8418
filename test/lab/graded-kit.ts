import { createRandom, type Random } from '../../src/core/routing/random.ts';

/**
 * Graded prompts made up: tasks with words, a template and a style of their own, models whose
 * chance to succeed depends on the task, and prices that follow skill. Not like any one public set.
 */
export interface GradedSpec {
  readonly seed: string;
  readonly rows: number;
  readonly models: number;
  readonly tasks: number;
  /** How much models differ between tasks, beyond their skill; in logits. */
  readonly interaction: number;
  /** How much models differ in skill. */
  readonly spread: number;
  /** USD of a usual call of the dearest model. */
  readonly dearest: number;
  readonly order: 'file' | 'shuffled';
  /** By how much one model is better than all others, in logits; left out, none is. */
  readonly dominant?: number;
  /** Prices from 1 to this many times as much, whatever the skill; left out, they follow skill. */
  readonly price_ratio?: number;
}

export interface GradedLine {
  readonly id: string;
  readonly prompt: string;
  readonly models: Readonly<Record<string, { readonly quality: number; readonly cost: number }>>;
}

const FUNCTION_WORDS = 'the of a to and in is that for it as with on by this are be from'.split(
  ' ',
);

interface Task {
  readonly chances: readonly number[];
  readonly template: string;
  readonly words: readonly string[];
  readonly style: number;
  readonly length: number;
  readonly share: number;
}

export function gradedWorld(spec: GradedSpec): readonly GradedLine[] {
  const random = createRandom(spec.seed);
  const vocabulary = Array.from({ length: 3000 }, () => wordOf(random));
  const skills = Array.from({ length: spec.models }, () => spec.spread * random.normal());
  if (spec.dominant !== undefined) skills[3] = Math.max(...skills) + spec.dominant;
  const { price_ratio } = spec;
  const prices = skills.map((skill, model) =>
    price_ratio === undefined
      ? Math.exp(1.5 * skill + random.normal())
      : price_ratio ** (model / (skills.length - 1)),
  );
  const top = Math.max(...prices);
  const tasks = Array.from({ length: spec.tasks }, () => taskOf(spec, skills, vocabulary, random));
  const shares = tasks.reduce((sum, { share }) => sum + share, 0);
  const lines = tasks.flatMap((task) =>
    Array.from({ length: Math.round((task.share / shares) * spec.rows) }, () =>
      lineOf(
        task,
        prices.map((price) => (spec.dearest * price) / top),
        vocabulary,
        random,
      ),
    ),
  );
  const ordered = spec.order === 'file' ? lines : shuffled(lines, random);
  return ordered.map((line, at) => ({ id: `r${at}`, ...line }));
}

const oneOf = <One>(list: readonly One[], random: Random): One =>
  list[Math.floor(random.uniform() * list.length)] as One;

function wordOf(random: Random): string {
  const length = 3 + Math.floor(random.uniform() * 7);
  const letters = Array.from({ length }, () => 97 + Math.floor(random.uniform() * 26));
  return String.fromCharCode(...letters);
}

function taskOf(
  { interaction, tasks }: GradedSpec,
  skills: readonly number[],
  vocabulary: readonly string[],
  random: Random,
): Task {
  const words = Array.from({ length: 200 }, () => oneOf(vocabulary, random));
  const hard = random.normal() - 0.5;
  const told = Array.from({ length: 8 + Math.floor(random.uniform() * 30) }, () =>
    random.uniform() < 0.5 ? oneOf(FUNCTION_WORDS, random) : oneOf(words, random),
  );
  return {
    chances: skills.map((skill) => {
      const logit = 1.2 * (skill - hard + interaction * random.normal());
      return 1 / (1 + Math.exp(-logit));
    }),
    template: random.uniform() < 0.6 ? `${told.join(' ')}:\n` : '',
    words,
    style: Math.floor(random.uniform() * 3),
    length: 10 + Math.floor(random.gamma(1.5) * 40),
    share: random.gamma(0.8) + 0.2 / tasks,
  };
}

function lineOf(
  task: Task,
  prices: readonly number[],
  vocabulary: readonly string[],
  random: Random,
): Omit<GradedLine, 'id'> {
  const count = Math.max(4, Math.floor(task.length * Math.exp(0.4 * random.normal())));
  const text = Array.from({ length: count }, () => {
    if (random.uniform() < 0.45) return oneOf(FUNCTION_WORDS, random);
    return oneOf(random.uniform() < 0.75 ? task.words : vocabulary, random);
  }).join(' ');
  const styled =
    task.style === 0
      ? text
      : task.style === 1
        ? `${text}?\nA. one\nB. two\nC. three`
        : `\`\`\`\ndef f(x): # ${text}\n  return {x}[0];\n\`\`\``;
  const size = Math.exp(0.4 * random.normal());
  const models = prices.map((price, model) => {
    const quality = random.uniform() < (task.chances[model] as number) ? 1 : 0;
    return [
      `m${model}`,
      { quality, cost: price * size * Math.exp(0.2 * random.normal()) },
    ] as const;
  });
  return { prompt: task.template + styled, models: Object.fromEntries(models) };
}

function shuffled<One>(list: readonly One[], random: Random): readonly One[] {
  const cards = [...list];
  for (let at = cards.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random.uniform() * (at + 1));
    [cards[at], cards[other]] = [cards[other] as One, cards[at] as One];
  }
  return cards;
}

/** Utility of each row and model, and what always one model, and uniform choice, would have. */
export function yardsticks(lines: readonly GradedLine[], cost_weight: number) {
  const utility = (line: GradedLine, model: string): number => {
    const { quality, cost } = line.models[model] as { quality: number; cost: number };
    return quality - cost_weight * cost;
  };
  const models = Object.keys(lines[0]?.models ?? {});
  const totals = models.map((model) => lines.reduce((sum, line) => sum + utility(line, model), 0));
  const uniform = totals.reduce((sum, total) => sum + total, 0) / models.length;
  return { utility, best: Math.max(...totals), uniform };
}
