import type { AbUnit } from '../core/ab/entry.ts';
import type { Network } from '../core/network.ts';
import type { AgentView, Plugin } from '../core/plugin.ts';
import type { Contents, PluginEntry, Policy, Timeouts } from '../core/policy.ts';
import type { Price } from '../core/price.ts';
import type { Provider } from '../core/provider.ts';
import type { Experiment } from '../core/state.ts';
import type { Categories } from './categories.ts';

/** The policy files as read: data, where each value came from, and what a reader should know. */
export interface LoadedPolicy {
  readonly policy: Policy;
  /** Prompt versions of the YAML files, by digest. */
  readonly contents: Contents;
  /** SHA-256 over the files' bytes and the environment overrides in force. */
  readonly source_sha256: string;
  /** Such as "provider openai is absent: OPENAI_API_KEY is not set". */
  readonly notices: readonly string[];
  /** JSON pointer to where its value came from: `gateway.yaml:12:5`, `ORACLE_…=0.8`, `default`. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * The policy compiled and frozen: all that a call needs, behind one reference. A call takes a lease
 * on one snapshot and uses nothing else, so it sees exactly one version.
 */
export interface Snapshot {
  readonly version: string;
  /** The epoch of the state that was folded in. */
  readonly epoch: number;
  readonly policy: Policy;
  readonly agents: ReadonlyMap<string, AgentPlan>;
  /** The live experiment of an agent, by agent. */
  readonly experiments: ReadonlyMap<string, CompiledExperiment>;
  /** The A/B experiment of an agent, by agent; none that is served to nobody. */
  readonly ab: ReadonlyMap<string, CompiledAb>;
  readonly targets: ReadonlyMap<string, Target>;
  /** Null where the policy has none. */
  readonly categories: Categories | null;
  readonly superseded: readonly { readonly id: string; readonly reason: string }[];
}

/** One agent as one policy compiled it; an arm is a second plan with a version of its own. */
export interface AgentPlan {
  readonly name: string;
  readonly version: string;
  readonly view: AgentView;
  readonly plugins: readonly PluginInstance[];
}

export interface CompiledExperiment {
  readonly experiment: Experiment;
  readonly plan: AgentPlan;
}

/** A run of an A/B experiment that is served. */
export interface CompiledAb {
  readonly run: string;
  readonly unit: AbUnit;
  /** In the order in which shares add up; control first. */
  readonly arms: readonly CompiledAbArm[];
  /** Where it has stopped: the plan that all are served. */
  readonly stopped: AgentPlan | null;
}

export interface CompiledAbArm {
  readonly name: string;
  readonly share: number;
  /** Null of control, and of an arm that is served no more: the main plan then serves. */
  readonly plan: AgentPlan | null;
  /** What its permit is given for; null of an arm that needs none. */
  readonly permit: Experiment | null;
}

export interface PluginInstance {
  readonly id: string;
  readonly entry: PluginEntry;
  readonly plugin: Plugin;
}

/**
 * A target that is present: its provider is configured. Whether it answers now is another matter.
 */
export interface Target {
  readonly name: string;
  readonly provider: Provider;
  readonly provider_name: string;
  /** Where the provider may be; a process of our own is always on loopback. */
  readonly network: Network;
  readonly model: string;
  readonly fallback_only: boolean;
  readonly timeouts: Timeouts;
  /** Calls in its hands at once, or null where the policy names no number. */
  readonly in_flight: number | null;
  /** Null where the policy states none. */
  readonly price: Price | null;
}
