import { isObject } from '../json-values.ts';
import { mergePatch } from '../pointer.ts';
import type { Policy } from '../policy.ts';
import { armPolicy } from './arm-policy.ts';
import type { AbEntry } from './entry.ts';

/** USD for a million tokens, by target. */
export type Prices = Readonly<
  Record<string, { readonly input_usd: number; readonly output_usd: number }>
>;

/** What an agent's targets cost, as the facts of its model-router say. */
export function pricesOf(policy: Policy, agent: string): Prices {
  const own = policy.agents[agent]?.plugins ?? {};
  const prices: Record<string, { input_usd: number; output_usd: number }> = {};
  for (const id of policy.plugins.order) {
    const entry = policy.plugins.by[id];
    if (entry?.use !== 'model-router') continue;
    const options = mergePatch(entry.options, own[id] ?? {});
    const facts = isObject(options) && isObject(options.facts) ? options.facts : {};
    for (const [target, fact] of Object.entries(facts)) {
      if (!isObject(fact)) continue;
      const { input_usd, output_usd } = fact;
      if (typeof input_usd !== 'number' || typeof output_usd !== 'number') continue;
      prices[target] = { input_usd, output_usd };
    }
  }
  return prices;
}

/** Targets that may serve an arm and have no price. */
export function unpricedOf(policy: Policy, entry: AbEntry, prices: Prices): readonly string[] {
  const names = Object.keys(entry.arms).flatMap((arm) => {
    const agent = armPolicy(policy, entry, arm).agents[entry.agent];
    if (!agent) return [];
    const { context_length = [], any = [] } = agent.fallbacks ?? {};
    return [...Object.keys(agent.targets), ...context_length, ...any];
  });
  return [...new Set(names)].filter((name) => !Object.hasOwn(prices, name)).sort();
}
