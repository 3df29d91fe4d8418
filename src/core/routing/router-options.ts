import { z } from 'zod';
import { CascadeOptions } from './cascade.ts';
import { ROUTE_BANDIT } from './route-belief.ts';
import { TargetFactsSchema } from './target-facts.ts';

/** What the policy says of the plugin `model-router`; the worker reads `bandit` of it too. */
const Rule = z.strictObject({
  when: z.string().min(1).max(2000).describe('CEL over the call’s facts, as in `categories:`.'),
  target: z.string().describe('Who answers calls for which it holds.'),
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
  cost_weight: z.number().min(0).default(0).describe('Reward lost for each USD, by `facts`.'),
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
    .describe('A unit keeps its target while shares allow; else it is drawn with each table.'),
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
  'cascade',
] as const;

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
    bandit: Bandit.prefault({}).describe('`bandit`: what the worker learns from, and how.'),
  })
  .refine(({ strategy, target }) => strategy !== 'fixed' || target !== undefined, {
    path: ['target'],
    message: 'strategy `fixed` needs the name of its target',
  });

export type ModelRouterOptions = z.output<typeof RouterOptions>;
