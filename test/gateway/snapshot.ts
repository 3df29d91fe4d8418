import type {
  AgentPlan,
  CompiledAb,
  CompiledExperiment,
  PluginInstance,
  Snapshot,
  Target,
} from '../../src/config/snapshot.ts';
import { instantiate } from '../../src/core/definition.ts';
import type { Network } from '../../src/core/network.ts';
import type { Plugin } from '../../src/core/plugin.ts';
import type {
  AgentEntry,
  PluginEntry,
  Policy,
  Resilience,
  Timeouts,
} from '../../src/core/policy.ts';
import { type PriceEntry, priceFrom } from '../../src/core/price.ts';
import type { Provider } from '../../src/core/provider.ts';
import { definition as anthropic } from '../../src/providers/anthropic.ts';
import { definition as openai } from '../../src/providers/openai.ts';
import { smallPolicy } from '../core/policy.ts';

/** A snapshot made by hand: what `config/` would compile, without its files. */
export interface SnapshotSpec {
  readonly version?: string;
  /** Target name to its base URL, or to all of it. */
  readonly targets: Readonly<Record<string, string | TargetSpec>>;
  readonly agents?: Readonly<Record<string, AgentSpec>>;
  readonly plugins?: readonly PluginSpec[];
  readonly experiments?: readonly CompiledExperiment[];
  readonly ab?: readonly { readonly agent: string; readonly compiled: CompiledAb }[];
  readonly resilience?: ResilienceSpec;
  readonly timeouts?: Partial<Timeouts>;
  readonly body_bytes_max?: number;
  readonly access?: Policy['access'];
}

/** What a test wants otherwise than the rest. */
export type ResilienceSpec = {
  readonly [Key in keyof Resilience]?: Resilience[Key] extends string | number
    ? Resilience[Key]
    : Resilience[Key] | Partial<Resilience[Key]>;
};

export interface TargetSpec {
  readonly url?: string;
  readonly provider?: Provider;
  /** `private` by default, since scripted upstreams are on loopback. */
  readonly network?: Network;
  readonly model?: string;
  readonly fallback_only?: boolean;
  readonly timeouts?: Partial<Timeouts>;
  readonly in_flight?: number;
  readonly price?: PriceEntry;
}

export interface AgentSpec {
  /** Names of targets in their order; all of them by default. */
  readonly targets?: readonly string[];
  readonly entry?: Partial<AgentEntry>;
  readonly plugins?: readonly PluginSpec[];
  readonly lora_hotplug?: boolean;
}

export type PluginSpec = { readonly id: string; readonly plugin: Plugin } & Partial<PluginEntry>;

const TIMEOUTS: Timeouts = {
  connect_ms: 1000,
  first_token_ms: 2000,
  idle_ms: 2000,
  total_ms: 10_000,
};

/** Short waits, and breakers that stay closed unless a test wants them open. */
const RESILIENCE: Resilience = {
  timeouts: TIMEOUTS,
  retry: { retries: 2, budget: 10, backoff_ms: [1, 5] },
  breaker: { errors: 0.5, calls_min: 1000, failures: 1000, open_ms: 200 },
  escalation: { most: 2, budget: 1 },
  hedge: 'off',
  overload: { in_flight: 'adaptive', queue_ms: 2000, queue_max: 1000, bytes_max: 1e8 },
  midstream: 'error',
  hold_bytes_max: 1_000_000,
};

export function openAiAt(base_url: string, api_key = 'sk-upstream'): Provider {
  return instantiate(openai, { base_url, api_key }, { name: 'scripted', engineUrl: () => '' });
}

export function anthropicAt(base_url: string, api_key = 'sk-ant-upstream'): Provider {
  return instantiate(anthropic, { base_url, api_key }, { name: 'scripted', engineUrl: () => '' });
}

export function makeSnapshot(spec: SnapshotSpec): Snapshot {
  const targets = new Map<string, Target>();
  for (const [name, given] of Object.entries(spec.targets)) {
    targets.set(name, makeTarget(name, typeof given === 'string' ? { url: given } : given, spec));
  }
  const version = spec.version ?? 'v1';
  const agents = Object.entries(spec.agents ?? { default: {} }).map(
    ([name, agent]) => [name, makePlan(name, version, agent, targets, spec.plugins ?? [])] as const,
  );
  const experiments = (spec.experiments ?? []).map((one) => [one.experiment.agent, one] as const);
  return {
    version,
    epoch: 0,
    policy: policyOf(spec),
    agents: new Map(agents),
    experiments: new Map(experiments),
    ab: new Map((spec.ab ?? []).map((one) => [one.agent, one.compiled] as const)),
    targets,
    categories: null,
    superseded: [],
  };
}

function policyOf(spec: SnapshotSpec): Policy {
  return {
    ...smallPolicy,
    targets: {},
    limits: { body_bytes_max: spec.body_bytes_max ?? 1_000_000 },
    access: spec.access ?? smallPolicy.access,
    resilience: {
      ...RESILIENCE,
      ...spec.resilience,
      retry: { ...RESILIENCE.retry, ...spec.resilience?.retry },
      breaker: { ...RESILIENCE.breaker, ...spec.resilience?.breaker },
      overload: { ...RESILIENCE.overload, ...spec.resilience?.overload },
      escalation: { ...RESILIENCE.escalation, ...spec.resilience?.escalation },
      hedge: (spec.resilience?.hedge ?? RESILIENCE.hedge) as Resilience['hedge'],
      timeouts: { ...TIMEOUTS, ...spec.timeouts },
    },
  };
}

function makeTarget(name: string, given: TargetSpec, spec: SnapshotSpec): Target {
  return {
    name,
    provider: given.provider ?? openAiAt(given.url ?? ''),
    provider_name: 'scripted',
    network: given.network ?? 'private',
    model: given.model ?? `model-${name}`,
    fallback_only: given.fallback_only ?? false,
    timeouts: { ...TIMEOUTS, ...spec.timeouts, ...given.timeouts },
    in_flight: given.in_flight ?? null,
    price: given.price ? priceFrom(given.price) : null,
  };
}

export function makePlan(
  name: string,
  version: string,
  agent: AgentSpec,
  targets: ReadonlyMap<string, Target>,
  plugins: readonly PluginSpec[],
): AgentPlan {
  const names = agent.targets ?? [...targets.keys()];
  const entry: AgentEntry = {
    targets: Object.fromEntries(names.map((target) => [target, 1])),
    adapter: 'none',
    params: {},
    plugins: {},
    ...agent.entry,
  };
  const views = names.flatMap((target) => {
    const found = targets.get(target);
    if (!found) return [];
    const weight = entry.targets[target] ?? 0;
    const { fallback_only, provider } = found;
    return [{ name: target, weight, fallback_only, adapters: provider.adapters }];
  });
  return {
    name,
    version,
    view: {
      name,
      entry,
      targets: views,
      prompt: null,
      lora_hotplug: agent.lora_hotplug ?? true,
    },
    plugins: [...plugins, ...(agent.plugins ?? [])].map(instanceOf),
  };
}

function instanceOf({ id, plugin, ...entry }: PluginSpec): PluginInstance {
  const whole = { use: id, on_error: 'skip', budget_ms: 50, options: {}, ...entry } as const;
  return { id, plugin, entry: whole };
}
