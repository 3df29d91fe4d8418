import { z } from 'zod';
import { CascadeOptions } from './cascade.ts';
import { ROUTE_BANDIT } from './route-belief.ts';
import { TargetFactsSchema } from './target-facts.ts';

/** What the policy says of the plugin `model-router`; the worker reads `bandit` of it too. */
const Rule = z.strictObject({
  when: z.string().min(1).max(2000).describe('CEL over the call’s facts, as in `categories:`.'),
  target: z.string().describe('Who answers calls for which it holds.'),
});

const Stop = z.strictObject({
  delta: z
    .number()
    .min(0.0001)
    .max(0.5)
    .default(0.05)
    .describe('The chance that the one called proven is not the best, whenever one looks.'),
  on_proven: z
    .enum(['report', 'exploit'])
    .default('report')
    .describe('`exploit`: it gets all but the floors; `report`: it is only said.'),
});

const Bandit = z.strictObject({
  rule: z
    .enum(['thompson', 'top-two'])
    .default('thompson')
    .describe('`top-two` finds the best sooner, and costs more until it has.'),
  reward: z
    .enum(['success', 'feedback'])
    .default('success')
    .describe('`success`: answered, 0 or 1; `feedback`: what users said, 0 to 1, else no reward.'),
  latency_weight: z.number().min(0).default(0).describe('Reward lost for each second of latency.'),
  cost_weight: z
    .number()
    .min(0)
    .default(0)
    .describe('Reward lost for each USD: the call’s `cost_usd`, else by `facts`.'),
  maturity_s: z
    .number()
    .min(0)
    .max(7 * 86_400)
    .default(1800)
    .describe('A call counts once it is so old; feedback that comes later still counts then.'),
  floor: z
    .number()
    .min(0)
    .max(0.2)
    .default(ROUTE_BANDIT.floor)
    .describe('Least share of each target, so that a change for the better is noticed.'),
  discount: z
    .number()
    .min(0.9)
    .max(1)
    .default(ROUTE_BANDIT.discount)
    .describe('Each reward makes what was known count so much: 0.999 halves in 693.'),
  borrow: z
    .number()
    .min(0)
    .max(10_000)
    .default(ROUTE_BANDIT.borrow)
    .describe('Rewards that the agent as a whole counts for in a category.'),
  sticky: z
    .boolean()
    .default(false)
    .describe(
      'A unit keeps its target while shares allow, and its session’s first message is its context.',
    ),
  user_max: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20)
    .describe('Newest rewards of one user (unit) that count, of each target.'),
  stop: Stop.optional().describe(
    'When the best target is proven; with context, whether that pays at all. Left out: never.',
  ),
  bound: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe('`linucb`: standard deviations of doubt that are explored; 0 explores the floor.'),
  gamma: z
    .number()
    .min(0)
    .max(1000)
    .default(3)
    .describe('`squarecb`: how fast it settles on what it believes.'),
});

export type BanditOptions = z.output<typeof Bandit>;

const STRATEGIES = [
  'weighted',
  'fixed',
  'round-robin',
  'least-in-flight',
  'fastest',
  'cheapest',
  'rules',
  'bandit',
  'linucb',
  'squarecb',
  'cascade',
] as const;

/** Strategies whose tables or models the worker learns. */
export const LEARNED = ['bandit', 'linucb', 'squarecb'] as const;
export type LearnedStrategy = (typeof LEARNED)[number];

export const RouterOptions = z
  .strictObject({
    strategy: z
      .enum(STRATEGIES)
      .default('weighted')
      .describe('How the first target is chosen; the agent’s weights order those behind it.'),
    target: z.string().optional().describe('`fixed`: who answers.'),
    rules: z
      .array(Rule)
      .max(64)
      .default([])
      .describe('`rules`: the first that holds; else the weights.'),
    quality_min: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('`cheapest`: targets of less quality are no candidates.'),
    explore: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.05)
      .describe('`fastest`: share of calls to the others, so that their speed is known.'),
    facts: z
      .record(z.string(), TargetFactsSchema)
      .default({})
      .describe('By target: prices, quality, and what it cannot do; nobody asks it for that.'),
    cascade: CascadeOptions.prefault({}).describe('`cascade`: whom to ask, and what is checked.'),
    bandit: Bandit.prefault({}).describe(
      '`bandit`, `linucb`, `squarecb`: what the worker learns from, and how.',
    ),
  })
  .refine(({ strategy, target }) => strategy !== 'fixed' || target !== undefined, {
    path: ['target'],
    message: 'strategy `fixed` needs the name of its target',
  })
  .refine(({ strategy, bandit }) => !isContextual(strategy) || !exploits(bandit), {
    path: ['bandit', 'stop', 'on_proven'],
    message:
      'only strategy `bandit` exploits: with context there is no one best target to give all ' +
      'calls to; write on_proven: report, and change the strategy by what it reports',
  });

function exploits({ stop }: BanditOptions): boolean {
  return stop?.on_proven === 'exploit';
}

export function isContextual(strategy: string): strategy is 'linucb' | 'squarecb' {
  return strategy === 'linucb' || strategy === 'squarecb';
}

export type ModelRouterOptions = z.output<typeof RouterOptions>;
