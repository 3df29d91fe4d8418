import { digestOf } from '../canonical.ts';
import { type AgentEntry, type Fallbacks, type Policy, promptVersionOf } from '../policy.ts';
import { type AbEntry, type AbSet, armsOf } from './entry.ts';

/**
 * The run that an entry stands for: `<name>@<8 hex digits>`. Who is in which arm, what an arm is
 * and what is claimed make a run; another of them is another run with another draw, so that what
 * was measured before is never mixed with it. When it gives up, and what then happens, may change.
 */
export function runIdOf(name: string, entry: AbEntry, prompts: Policy['prompts']): string {
  const { agent, unit, metric, guardrails, stop, run } = entry;
  const arms = Object.fromEntries(
    armsOf(entry).map(([arm, { share, set = {} }]) => {
      const found = typeof set.prompt === 'string' ? promptVersionOf(prompts, set.prompt) : null;
      return [arm, { share, set, ...(found ? { digest: found.digest } : {}) }];
    }),
  );
  const { alpha } = stop;
  const digest = digestOf({ agent, unit, arms, metric, guardrails, alpha, run });
  return `${name}@${digest.slice(0, 8)}`;
}

/**
 * The agent as an arm has it. Where an arm brings targets of its own, the agent's stand behind them
 * as fallbacks: what the arm cannot answer is answered, and counts as the arm's failure.
 */
export function armAgent(agent: AgentEntry, set: AbSet = {}): AgentEntry {
  const { prompt: own, ...rest } = agent;
  const { prompt = own, targets, adapter, params, plugins } = set;
  const merged = { ...agent.plugins };
  for (const [id, options] of Object.entries(plugins ?? {})) {
    merged[id] = { ...merged[id], ...options };
  }
  return {
    ...rest,
    ...(targets === undefined ? {} : { targets, fallbacks: fallbacksBehind(agent, targets) }),
    ...(adapter === undefined ? {} : { adapter }),
    ...(prompt === undefined || prompt === null ? {} : { prompt }),
    params: { ...agent.params, ...params },
    plugins: merged,
  };
}

function fallbacksBehind(agent: AgentEntry, targets: AgentEntry['targets']): Fallbacks {
  const { any = [] } = agent.fallbacks ?? {};
  const behind = [...any, ...Object.keys(agent.targets)].filter(
    (name) => !Object.hasOwn(targets, name),
  );
  return { ...agent.fallbacks, any: [...new Set(behind)] };
}

/** The policy in which the agent is as the arm has it. */
export function armPolicy(policy: Policy, entry: AbEntry, arm: string): Policy {
  const agent = policy.agents[entry.agent];
  const set = entry.arms[arm]?.set;
  if (!agent || !set) return policy;
  return { ...policy, agents: { ...policy.agents, [entry.agent]: armAgent(agent, set) } };
}
