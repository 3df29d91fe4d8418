import { z } from 'zod';
import type { Answer, AnswerVerdict } from '../answer/answer.ts';
import type { Call, Endpoint } from '../call.ts';
import type { Scope, TargetView } from '../plugin.ts';
import { CHECKS, failedCheck } from './answer-checks.ts';
import { priceOf, type TargetFacts } from './target-facts.ts';

export const CascadeOptions = z.strictObject({
  order: z
    .array(z.string())
    .max(16)
    .default([])
    .describe('Who is asked first, second, …; by default the agent’s targets, the cheapest first.'),
  checks: z
    .array(z.enum(CHECKS))
    .default(['refusal', 'empty', 'truncated', 'format', 'tools'])
    .describe('What an answer must pass, or the next target is asked.'),
  chars_min: z
    .int()
    .min(0)
    .max(100_000)
    .default(0)
    .describe('Characters that an answer must have, unless it calls a tool.'),
  logprob_min: z
    .number()
    .max(0)
    .optional()
    .describe('Least mean log-probability of a token, where the answer has them (`logprobs`).'),
});

export type CascadeSettings = z.output<typeof CascadeOptions>;

export interface Cascade {
  /** All on the first of the order that is one of these. */
  weigh(own: readonly TargetView[], scope: Scope): readonly number[];
  /** The order in which targets are asked: the cascade's from the chosen one on, then the rest. */
  orderFrom(chosen: string, others: readonly string[], scope: Scope): readonly string[];
  onAnswer(call: Call, answer: Answer, scope: Scope): AnswerVerdict | undefined;
}

/** Endpoints whose answers are words, so that a check can tell anything of them. */
const SPOKEN: ReadonlySet<Endpoint> = new Set([
  'chat.completions',
  'responses',
  'completions',
  'messages',
]);

/**
 * The cheap one is asked first, and the next one only where its answer visibly fails (FrugalGPT,
 * arXiv 2305.05176, with rules in the place of a learned judge). Nothing is learned or drawn: what
 * a check cannot see goes out.
 */
export function createCascade(
  options: CascadeSettings,
  facts: Readonly<Record<string, TargetFacts>>,
): Cascade {
  const orders = new WeakMap<Scope['agent'], readonly string[]>();
  const orderOf = (scope: Scope): readonly string[] => {
    const known = orders.get(scope.agent);
    if (known) return known;
    const names = new Set(scope.agent.targets.map(({ name }) => name));
    const order =
      options.order.length > 0
        ? options.order.filter((name) => names.has(name))
        : byPrice(scope, facts);
    orders.set(scope.agent, order);
    return order;
  };
  return {
    weigh(own, scope) {
      const order = orderOf(scope);
      const first = order.find((name) => own.some((target) => target.name === name));
      return own.map(({ name }) => (first === undefined ? 1 : Number(name === first)));
    },
    orderFrom(chosen, others, scope) {
      const order = orderOf(scope);
      const from = order.slice(Math.max(0, order.indexOf(chosen)));
      return [...new Set([chosen, ...from, ...others])];
    },
    onAnswer(call, answer, scope) {
      if (!SPOKEN.has(call.endpoint)) return undefined;
      const order = orderOf(scope);
      const at = order.indexOf(answer.target);
      if (at < 0 || at >= order.length - 1) return undefined;
      const reason = failedCheck(call, answer, options);
      if (reason === null) return undefined;
      return { next: true, reason, last: at === order.length - 2 };
    },
  };
}

/** Those without a price stand last, in the order of their names. */
function byPrice(scope: Scope, facts: Readonly<Record<string, TargetFacts>>): readonly string[] {
  const own = scope.agent.targets.filter(({ fallback_only }) => !fallback_only);
  const priced = own.map(({ name }) => {
    const price = scope.price(name);
    const stated = price && { input_usd: price.input / 1e6, output_usd: price.output / 1e6 };
    return { name, usd: priceOf(stated ?? facts[name]) };
  });
  return priced.sort((left, right) => compared(left.usd, right.usd)).map(({ name }) => name);
}

/** Two without a price are alike; their difference would be no number. */
function compared(left: number, right: number): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
