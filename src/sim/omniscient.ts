import type { AgentEntry } from '../core/policy.ts';
import { conditionOf, costOf, type Served, satisfactionOf } from './models.ts';
import type { Scenario } from './scenario.ts';
import { servedAs } from './serve.ts';
import { PATIENCE_SPREAD, trafficAt } from './traffic.ts';

/**
 * Who knows the world: for every hour and agent the model, prompt and adapter of the most worth,
 * of those that the oracle's bounds would let it choose. It sees no user and no single answer, so
 * luck is not its to use, and what it gains is what was to be gained.
 */
export interface Omniscient {
  best(agent: string, t_ms: number): Served;
}

const HOUR_MS = 3_600_000;

export function createOmniscient(
  scenario: Scenario,
  agents: Readonly<Record<string, AgentEntry>>,
): Omniscient {
  const known = new Map<string, Served>();
  return {
    best(agent, t_ms) {
      const hour = Math.floor(t_ms / HOUR_MS);
      const key = `${agent}\0${hour}`;
      const found = known.get(key) ?? bestOf(scenario, agents, agent, (hour + 0.5) * HOUR_MS);
      known.set(key, found);
      return found;
    },
  };
}

function bestOf(
  scenario: Scenario,
  agents: Readonly<Record<string, AgentEntry>>,
  agent: string,
  t_ms: number,
): Served {
  const entry = agents[agent];
  if (!entry) throw new RangeError(`there is no agent ${agent}`);
  let best: { served: Served; worth: number } | null = null;
  for (const served of choicesOf(scenario, entry)) {
    const worth = worthOf(scenario, agent, served, t_ms);
    if (!best || worth > best.worth + 1e-12) best = { served, worth };
  }
  return best?.served ?? servedAs(entry, Object.keys(entry.targets)[0] ?? '');
}

/** Its own first, so that of equals nothing is changed. */
function choicesOf(scenario: Scenario, entry: AgentEntry): readonly Served[] {
  const own = Object.keys(entry.targets);
  const models = [...new Set([...own, ...Object.keys(scenario.models)])];
  const prompts = [...new Set([entry.prompt ?? null, ...Object.keys(scenario.prompts)])];
  const adapter = entry.adapter === 'none' ? null : entry.adapter;
  const adapters = [...new Set([adapter, null, ...Object.keys(scenario.adapters)])];
  return models.flatMap((model) =>
    prompts.flatMap((prompt) => adapters.map((each) => ({ model, prompt, adapter: each }))),
  );
}

/** Of a call of the agent's users as they are at that time, in USD. */
export function worthOf(scenario: Scenario, agent: string, served: Served, t_ms: number): number {
  let [worth, weight] = [0, 0];
  for (const [name, users] of Object.entries(scenario.users)) {
    if (users.agent !== agent || !users.calls) continue;
    const calls = users.count * users.calls_per_day * trafficAt(scenario, name, t_ms);
    const intents = Object.values(users.intents).reduce((sum, share) => sum + share, 0);
    for (const [category, share] of Object.entries(users.intents)) {
      const condition = conditionOf(scenario, served, category, t_ms);
      const satisfied = satisfactionOf(condition, users.patience_ms, PATIENCE_SPREAD);
      const own = (calls * share) / intents;
      worth += own * (scenario.worth_usd * satisfied - costOf(condition));
      weight += own;
    }
  }
  return weight === 0 ? 0 : worth / weight;
}
