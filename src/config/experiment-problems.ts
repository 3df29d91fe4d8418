import { armPolicy } from '../core/ab/arm-policy.ts';
import { changeOf } from '../core/ab/change.ts';
import { type AbEntry, type AbSet, CONTROL_ARM, treatmentsOf } from '../core/ab/entry.ts';
import { AB_METRICS, metricsOf } from '../core/ab/metrics.ts';
import type { Policy } from '../core/policy.ts';
import { missing, own, type PolicyProblem } from './references.ts';

/** Names that mean something else in events. */
const TAKEN = ['canary', 'holdout'];
const ARMS_MAX = 10;

/** Checks an agent as `agentProblems` does, which is handed in: imports go one way. */
type CheckAgent = (policy: Policy, agent: string) => readonly PolicyProblem[];

/**
 * What of the experiments makes no sense, and what of an arm would fail the calls that it gets: it
 * is refused here, so that no arm is ever tried on users that could not be served.
 */
export function experimentProblems(
  policy: Policy,
  checkAgent: CheckAgent,
): readonly PolicyProblem[] {
  const experiments = Object.entries(policy.experiments ?? {});
  return experiments.flatMap(([name, entry], index) => {
    const at = ['experiments', name];
    if (!own(policy.agents, entry.agent)) {
      return [missing([...at, 'agent'], 'agent', entry.agent, policy.agents)];
    }
    const twin = experiments.slice(0, index).find(([, other]) => other.agent === entry.agent);
    const shared = twin === undefined ? [] : [twinProblem([...at, 'agent'], entry.agent, twin[0])];
    return [
      ...shared,
      ...armProblems(policy, entry, [...at, 'arms'], checkAgent),
      ...metricProblems(policy, entry, at),
      ...endProblems(policy, entry, at),
    ];
  });
}

function twinProblem(tokens: readonly string[], agent: string, twin: string): PolicyProblem {
  const message =
    `agent ${agent} has the experiment ${twin} already: one at a time, or neither could be ` +
    'told from the other (more arms in one are fine)';
  return { tokens, message };
}

function armProblems(
  policy: Policy,
  entry: AbEntry,
  at: readonly string[],
  checkAgent: CheckAgent,
): readonly PolicyProblem[] {
  const arms = Object.entries(entry.arms);
  const problems: PolicyProblem[] = [];
  const say = (tokens: readonly string[], message: string) => problems.push({ tokens, message });
  const control = own(entry.arms, CONTROL_ARM);
  if (!control) say(at, 'an arm must be called control: the agent as it is, all others beside it');
  if (control?.set)
    say([...at, CONTROL_ARM, 'set'], 'control is the agent as it is: it sets nothing');
  if (arms.length < 2) say(at, 'an experiment needs control and at least one other arm');
  if (arms.length > ARMS_MAX) say(at, `${arms.length} arms: at most ${ARMS_MAX}`);
  const sum = arms.reduce((total, [, { share }]) => total + share, 0);
  if (sum > 1 + 1e-9) say(at, `the shares add up to ${Number(sum.toFixed(6))}, more than 1`);
  for (const [arm, { set }] of arms) {
    if (TAKEN.includes(arm)) say([...at, arm], `${arm} is the name of another kind of arm`);
    if (arm === CONTROL_ARM) continue;
    if (!set) say([...at, arm], 'what it changes is missing: set: { prompt: …, targets: …, … }');
    else problems.push(...setProblems(policy, entry, arm, [...at, arm, 'set'], checkAgent));
  }
  return problems;
}

/** What is wrong with the agent already is said there, not of each arm again. */
function setProblems(
  policy: Policy,
  entry: AbEntry,
  arm: string,
  at: readonly string[],
  checkAgent: CheckAgent,
): readonly PolicyProblem[] {
  const known = new Set(checkAgent(policy, entry.agent).map(({ message }) => message));
  const set = entry.arms[arm]?.set as AbSet;
  return checkAgent(armPolicy(policy, entry, arm), entry.agent)
    .filter(({ message }) => !known.has(message))
    .map(({ tokens: [, , ...below], ...rest }) => {
      const place = below[0] !== undefined && Object.hasOwn(set, below[0]) ? below : [];
      return { ...rest, tokens: [...at, ...place] };
    });
}

function metricProblems(
  policy: Policy,
  entry: AbEntry,
  at: readonly string[],
): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  for (const [metric, bound] of Object.entries(entry.guardrails)) {
    const tokens = [...at, 'guardrails', metric];
    if (metric === entry.metric) {
      const message = `${metric} decides: an arm that is proven worse in it goes in any case`;
      problems.push({ tokens, message, key: true });
    }
    const kind = AB_METRICS[metric as keyof typeof AB_METRICS];
    if (kind.better === 'higher' && bound >= 1) {
      problems.push({ tokens, message: `${metric} cannot fall by all of it: write less than 1` });
    }
  }
  if (!metricsOf(entry).includes('cost')) return problems;
  const unpriced = unpricedOf(policy, entry);
  if (unpriced.length === 0) return problems;
  const message =
    `cost needs the prices of ${unpriced.join(', ')}: give them in ` +
    'targets: { NAME: { price: { input_usd: …, output_usd: … } } }';
  return [...problems, { tokens: at, message }];
}

/** Targets that may serve an arm and have no price: the `cost_usd` of their calls is null. */
function unpricedOf(policy: Policy, entry: AbEntry): readonly string[] {
  const names = Object.keys(entry.arms).flatMap((arm) => {
    const agent = armPolicy(policy, entry, arm).agents[entry.agent];
    if (!agent) return [];
    const { context_length = [], any = [] } = agent.fallbacks ?? {};
    return [...Object.keys(agent.targets), ...context_length, ...any];
  });
  return [...new Set(names)]
    .filter((name) => {
      const target = own(policy.targets, name);
      // That there is no such target is said of the agent.
      return target !== undefined && target.price === undefined;
    })
    .sort();
}

function endProblems(
  policy: Policy,
  entry: AbEntry,
  at: readonly string[],
): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const { units_min, units_max, hours_min, days_max } = entry.stop;
  // That control is missing is said of the arms.
  if (entry.on_stop !== CONTROL_ARM && !own(entry.arms, entry.on_stop)) {
    problems.push(missing([...at, 'on_stop'], 'arm', entry.on_stop, entry.arms));
  }
  if (units_min * Object.keys(entry.arms).length > units_max) {
    const message = 'units_min of each arm are more than units_max of all';
    problems.push({ tokens: [...at, 'stop', 'units_min'], message });
  }
  if (hours_min > days_max * 24) {
    problems.push({ tokens: [...at, 'stop', 'hours_min'], message: 'longer than days_max' });
  }
  if (entry.at_end !== 'propose') return problems;
  for (const [arm, { set }] of Object.entries(entry.arms)) {
    if (arm === CONTROL_ARM || !set || changeOf(policy, entry, arm) !== 'several') continue;
    const message =
      'at_end: propose needs a change that one plan can hold: either targets, prompt, adapter, ' +
      'or one key of params or of a plugin’s options';
    problems.push({ tokens: [...at, 'arms', arm], message });
  }
  return problems;
}

/** Arms that nobody could answer on this machine: their experiments are served to nobody. */
export function experimentNotices(
  policy: Policy,
  isAbsent: (provider: string) => boolean,
): readonly string[] {
  return Object.entries(policy.experiments ?? {}).flatMap(([name, entry]) => {
    const lost = treatmentsOf(entry).filter((arm) => {
      const targets = Object.keys(armPolicy(policy, entry, arm).agents[entry.agent]?.targets ?? {});
      return targets.every((target) => isAbsent(policy.targets[target]?.provider ?? ''));
    });
    if (lost.length === 0) return [];
    const arms = lost.length === 1 ? 'arm' : 'arms';
    return [
      `experiment ${name} is not served: no target of its ${arms} ${lost.join(', ')} is present`,
    ];
  });
}
