import { canonicalJson } from '../core/canonical.ts';
import { instantiate } from '../core/definition.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { rowsTakenBack, versionOf } from '../core/fold.ts';
import type { Network } from '../core/network.ts';
import type { Row } from '../core/oracle.ts';
import type { AgentView, PluginRegistry, TargetView } from '../core/plugin.ts';
import { mergePatch } from '../core/pointer.ts';
import { type AgentEntry, type Contents, type Policy, promptVersionOf } from '../core/policy.ts';
import { priceFrom } from '../core/price.ts';
import type { Provider, ProviderRegistry } from '../core/provider.ts';
import type { Control, State } from '../core/state.ts';
import { compileCategories } from './categories.ts';
import { compileAb, type Planner } from './compile-ab.ts';
import type { Environment } from './env.ts';
import { foldChecked } from './fold-checked.ts';
import { deepFreeze } from './freeze.ts';
import type { HostFactory } from './hosts.ts';
import { absentProviders, withSecrets } from './presence.ts';
import type {
  AgentPlan,
  CompiledExperiment,
  LoadedPolicy,
  PluginInstance,
  Snapshot,
  Target,
} from './snapshot.ts';

export interface CompileInput {
  readonly loaded: LoadedPolicy;
  readonly state: State;
  readonly control: Control;
  readonly environment: Pick<Environment, 'secret'>;
  readonly plugins: PluginRegistry;
  readonly providers: ProviderRegistry;
  readonly host: HostFactory;
}

interface Superseded {
  readonly id: string;
  readonly reason: string;
}

/**
 * The policy in force: the YAML, with the applied rows that nobody has withdrawn folded over it,
 * and beside it one arm for each live canary. Throws `policy_invalid` where the YAML itself does
 * not compile; a row that does not fit is reported in `superseded`, and the rest goes on without
 * it.
 */
export function compileSnapshot(input: CompileInput): Snapshot {
  const { loaded, state } = input;
  const contents: Contents = { ...loaded.contents, ...state.content };
  const rows = withoutWithdrawn(state.rows, input.control);
  const applied = rows.filter((row) => row.state === 'applied');
  const folded = foldChecked(loaded.policy, applied, contents, input);
  const policy = deepFreeze(folded.policy);
  const targets = compileTargets(input, policy);
  const planner = createPlanner(input, targets, contents);
  const agents = Object.keys(policy.agents).map((name) => planner(policy, name));
  const arms = compileArms(input, { rows, applied, accepted: folded.applied, contents, planner });
  return Object.freeze({
    version: versionOf(policy),
    epoch: state.epoch,
    policy,
    agents: new Map(agents.map((plan) => [plan.name, plan])),
    experiments: arms.experiments,
    ab: compileAb(policy, state, planner),
    targets,
    categories: compileCategories(policy.categories),
    superseded: [...folded.superseded, ...arms.superseded],
  });
}

/** A key that is withdrawn takes its row, and later rows over the same paths, with it. */
function withoutWithdrawn(rows: readonly Row[], { withdrawn }: Control): readonly Row[] {
  const gone = new Set(
    rows
      .filter((row) => withdrawn.includes(row.rollback_key))
      .flatMap((row) => rowsTakenBack(rows, row.id).map((taken) => taken.id)),
  );
  return rows.filter((row) => !gone.has(row.id));
}

/** Targets that are present: an absent provider takes its own with it. */
function compileTargets(input: CompileInput, policy: Policy): ReadonlyMap<string, Target> {
  const absent = absentProviders(policy, input.providers, input.environment);
  const present = new Map<string, Present>();
  for (const [name, entry] of Object.entries(policy.providers)) {
    const definition = input.providers.get(entry.use);
    if (!definition || absent.has(name)) continue;
    const options = withSecrets(entry, definition.secrets, input.environment);
    const provider = orPolicyInvalid(`providers.${name}`, () =>
      instantiate(definition, options, input.host.providerHost(name)),
    );
    const engine = definition.engine?.(definition.options.parse(options) as never);
    const network = engine ? 'private' : entry.network;
    present.set(name, { provider, network, model: engine ? modelName(engine.model) : null });
  }
  const targets = new Map<string, Target>();
  for (const [name, entry] of Object.entries(policy.targets)) {
    const found = present.get(entry.provider);
    const model = entry.model ?? found?.model;
    if (!found || !model) continue;
    const target: Target = {
      name,
      provider: found.provider,
      provider_name: entry.provider,
      network: found.network,
      model,
      fallback_only: entry.fallback_only,
      timeouts: Object.freeze({ ...policy.resilience.timeouts, ...entry.timeouts }),
      in_flight: entry.in_flight ?? null,
      price: entry.price ? priceFrom(entry.price) : null,
    };
    targets.set(name, Object.freeze(target));
  }
  return targets;
}

interface Present {
  readonly provider: Provider;
  readonly network: Network;
  readonly model: string | null;
}

/** `models/echo.gguf` is asked for as `echo`. */
function modelName(path: string): string {
  const file = path.split(/[\\/]/).at(-1) ?? path;
  return file.replace(/\.gguf$/i, '');
}

/**
 * Instances are shared by all plans whose options are the same: an arm differs in what it changes.
 */
function createPlanner(
  input: CompileInput,
  targets: ReadonlyMap<string, Target>,
  contents: Contents,
): Planner {
  const instances = new Map<string, PluginInstance>();

  const instanceOf = (policy: Policy, agent: string, id: string): PluginInstance => {
    const entry = policy.plugins.by[id];
    const definition = entry && input.plugins.get(entry.use);
    if (!entry || !definition) {
      throw new GatewayError('policy_invalid', `plugins.${id}: there is no such plugin`);
    }
    const options = mergePatch(entry.options, policy.agents[agent]?.plugins[id] ?? {});
    const key = canonicalJson([agent, id, entry, options]);
    const known = instances.get(key);
    if (known) return known;
    const plugin = orPolicyInvalid(`plugins.${id} of agent ${agent}`, () =>
      instantiate(definition, options, input.host.pluginHost(agent, id)),
    );
    const made = Object.freeze({ id, entry, plugin });
    instances.set(key, made);
    return made;
  };

  return (policy, name) => {
    const entry = policy.agents[name] as AgentEntry;
    return Object.freeze({
      name,
      version: versionOf(policy),
      view: viewOf(policy, name, entry, targets, contents),
      plugins: policy.plugins.order.map((id) => instanceOf(policy, name, id)),
    });
  };
}

/** Candidates stand in order of their names, since versions that are equal must serve alike. */
function viewOf(
  policy: Policy,
  name: string,
  entry: AgentEntry,
  targets: ReadonlyMap<string, Target>,
  contents: Contents,
): AgentView {
  const views: TargetView[] = [];
  for (const target of Object.keys(entry.targets).sort()) {
    const present = targets.get(target);
    if (!present) continue;
    views.push({
      name: target,
      weight: entry.targets[target] ?? 0,
      fallback_only: present.fallback_only,
      adapters: present.provider.adapters,
    });
  }
  const prompt = entry.prompt === undefined ? null : promptVersionOf(policy.prompts, entry.prompt);
  const content = prompt && contents[prompt.digest];
  return deepFreeze({
    name,
    entry,
    targets: views,
    prompt: content ? { name: prompt.name, version: prompt.version, content } : null,
    lora_hotplug: policy.switches.lora_hotplug,
  });
}

interface ArmInput {
  readonly rows: readonly Row[];
  readonly applied: readonly Row[];
  /** Ids of the rows that the main plan holds. */
  readonly accepted: readonly string[];
  readonly contents: Contents;
  readonly planner: Planner;
}

/** One second plan for each agent with a live canary; a paused one is served to nobody. */
function compileArms(
  input: CompileInput,
  arms: ArmInput,
): {
  readonly experiments: ReadonlyMap<string, CompiledExperiment>;
  readonly superseded: readonly Superseded[];
} {
  const experiments = new Map<string, CompiledExperiment>();
  const superseded: Superseded[] = [];
  const withdrawn = new Set(input.state.rows.map((row) => row.id));
  for (const row of arms.rows) withdrawn.delete(row.id);
  for (const experiment of input.state.experiments) {
    if (experiment.state !== 'canary' || withdrawn.has(experiment.row)) continue;
    const row = arms.rows.find(
      ({ id, agent, state }) =>
        id === experiment.row && agent === experiment.agent && state === 'canary',
    );
    const made = row ? compileArm(input, arms, row) : 'its row is no canary of its agent';
    if (experiments.has(experiment.agent)) {
      const reason = `agent ${experiment.agent} has another experiment`;
      superseded.push({ id: experiment.row, reason });
    } else if (typeof made === 'string') {
      superseded.push({ id: experiment.row, reason: made });
    } else {
      experiments.set(experiment.agent, Object.freeze({ experiment, plan: made }));
    }
  }
  return { experiments, superseded };
}

/**
 * The arm's plan, or the reason why there is none: it must hold all of the main plan and its row.
 */
function compileArm(input: CompileInput, arms: ArmInput, row: Row): AgentPlan | string {
  const main = arms.applied.filter((one) => arms.accepted.includes(one.id));
  const folded = foldChecked(input.loaded.policy, [...main, row], arms.contents, input);
  const lost = folded.superseded.find((one) => one.id === row.id) ?? folded.superseded[0];
  if (lost) return lost.id === row.id ? lost.reason : `it does not go together with ${lost.id}`;
  try {
    return arms.planner(deepFreeze(folded.policy), row.agent);
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function orPolicyInvalid<Value>(where: string, make: () => Value): Value {
  try {
    return make();
  } catch (thrown) {
    throw new GatewayError('policy_invalid', `${where}: ${messageOf(thrown)}`, {}, thrown);
  }
}
