import type { AbEntry } from './ab/entry.ts';
import type { AccessPolicy } from './access-policy.ts';
import type { Json, JsonObject } from './canonical.ts';
import type { Network } from './network.ts';
import type { PriceEntry } from './price.ts';
import type { CapturedBodies, PromptProposals } from './prompt/proposal-policy.ts';
import type { PromptVersion } from './prompt/version.ts';
import type { Hedge, Midstream, Resilience, Timeouts } from './resilience-policy.ts';
import type { FollowUpPolicy } from './signals/follow-up-policy.ts';

export type { Hedge, Midstream, Resilience, Timeouts };

/**
 * The policy: what the YAML files say, normalised to data that rows can patch and that hashes alike
 * everywhere. `config/` makes one of the files; nothing else does. Durations end in `_ms`, shares
 * and probabilities are 0..1, money is USD.
 *
 * A list whose entries have names is `{order, by}`, so that a merge patch can reach one entry.
 * `version` of a policy = SHA-256 of its canonical JSON.
 */
export interface Policy {
  readonly version: 1;
  readonly providers: Readonly<Record<string, ProviderEntry>>;
  readonly targets: Readonly<Record<string, TargetEntry>>;
  readonly agents: Readonly<Record<string, AgentEntry>>;
  /** In the order in which they are tried; absent where there are none. */
  readonly categories?: NamedList<CategoryEntry>;
  /** A/B experiments; absent where there are none. */
  readonly experiments?: Readonly<Record<string, AbEntry>>;
  readonly plugins: NamedList<PluginEntry>;
  readonly resilience: Resilience;
  readonly access: AccessPolicy;
  readonly limits: {
    readonly body_bytes_max: number;
    readonly connections_per_address?: number;
  };
  readonly capture: { readonly feedback_text: boolean; readonly bodies?: CapturedBodies };
  readonly store: { readonly events_days: number };
  /** Prompt patches by name. */
  readonly prompts: Readonly<Record<string, PromptEntry>>;
  readonly oracle: OraclePolicy;
  readonly pipeline: Pipeline;
  /**
   * SHA-256 of each local file that a provider names (models, adapters), by its path as written.
   */
  readonly files: Readonly<Record<string, string>>;
  /** The environment switches in force; they are part of what a version means. */
  readonly switches: Switches;
}

export interface NamedList<Entry> {
  readonly order: readonly string[];
  readonly by: Readonly<Record<string, Entry>>;
}

/**
 * `use` names the provider's definition, `network` says where it may be; the rest are the
 * definition's options, `${VAR}` of secrets unexpanded.
 */
export interface ProviderEntry {
  readonly use: string;
  readonly network: Network;
  readonly [option: string]: Json;
}

/** The options that the provider's definition knows: all but the policy's own keys. */
export function providerOptions({
  use: _use,
  network: _where,
  ...options
}: ProviderEntry): JsonObject {
  return options as JsonObject;
}

export interface TargetEntry {
  readonly provider: string;
  /** The provider's name of the model; for an embedded provider it defaults to the model file's. */
  readonly model?: string;
  /** Used only if no other target of the agent is live. */
  readonly fallback_only: boolean;
  readonly timeouts?: Partial<Timeouts>;
  /** Calls in its hands at once, streams to their end; without it only the adaptive limit holds. */
  readonly in_flight?: number;
  /** What its tokens cost; without it nobody knows what its calls cost. */
  readonly price?: PriceEntry;
}

export interface AgentEntry {
  /** Candidates and their weights; weights are relative. */
  readonly targets: Readonly<Record<string, number>>;
  /** Whom to ask when its own targets fail. */
  readonly fallbacks?: Fallbacks;
  /** Over `resilience.hedge` and `resilience.midstream`. */
  readonly hedge?: Hedge;
  readonly midstream?: Midstream;
  /** `name` (label `production`), `name@version`, `name@label`, or absent for none. */
  readonly prompt?: string;
  /** The adapter's name, or `none`. */
  readonly adapter: string;
  /** Defaults for request fields that the client did not send. */
  readonly params: JsonObject;
  /** Options of plugins, for this agent, over those of the plugin's own entry. */
  readonly plugins: Readonly<Record<string, JsonObject>>;
}

/** Names of targets in their order, by why its own targets failed. */
export interface Fallbacks {
  /** Larger models, for prompts that are too long: the only ones that are asked then. */
  readonly context_length?: readonly string[];
  /** For any other failure of the targets. */
  readonly any?: readonly string[];
}

/** A class of calls, by a CEL expression over the call's facts. */
export interface CategoryEntry {
  readonly when: string;
}

export interface PluginEntry {
  readonly use: string;
  /** What the call does when the plugin throws or is slow. */
  readonly on_error: 'skip' | 'fail';
  readonly budget_ms: number;
  readonly options: JsonObject;
}

export interface PromptEntry {
  /** Version number (as a string key) to the digest of its content. */
  readonly versions: Readonly<Record<string, string>>;
  /** Label to version number. */
  readonly labels: Readonly<Record<string, number>>;
  /** Labels that only the file moves; absent where there is none. */
  readonly protected?: readonly string[];
}

/** Content by digest: prompt versions, of the YAML files and of rows. */
export type Contents = Readonly<Record<string, PromptVersion>>;

export interface OraclePolicy {
  readonly thresholds: Thresholds;
  readonly safety: Safety;
  /**
   * A JSON pointer pattern (`*` is one token) to what may be moved there; all else is out of reach.
   */
  readonly bounds: Readonly<Record<string, Bound>>;
  /** The gates in their order. */
  readonly gates: readonly string[];
  readonly proposals?: { readonly prompt?: PromptProposals };
  readonly follow_ups?: FollowUpPolicy;
}

export interface Thresholds {
  readonly performance: {
    readonly response_time: {
      readonly warning_threshold_ms: number;
      readonly critical_threshold_ms: number;
    };
    readonly success_rate: { readonly target: number };
  };
  readonly satisfaction: {
    readonly rating: {
      readonly warning_threshold: number;
      readonly critical_threshold: number;
      readonly target: number;
    };
    /** Shares of units. */
    readonly dissatisfied: { readonly warning: number; readonly critical: number };
  };
}

export interface Safety {
  readonly max_mutations_per_hour: number;
  readonly min_confidence: number;
  readonly require_approval: { readonly risk: Risk | 'none' };
  /** How long an undecided plan stays open. */
  readonly approval_hours: number;
  readonly act: ActPolicy;
  readonly canary: CanaryPolicy;
  readonly rollback: TriggerPolicy;
}

/** What a finding must withstand before anything is changed on it (docs/oracle.md). */
export interface ActPolicy {
  /** The largest p value of a week, over all that a detector asks. */
  readonly q_act: number;
  /** The share of users that may be of ill will. */
  readonly influence: number;
}

export interface CanaryPolicy {
  /** The first share of units; ramp steps at or below it are skipped; 1 means applied. */
  readonly share: number;
  readonly ramp: readonly number[];
  /** Policy minutes and canary units before a promotion. */
  readonly minutes_min: number;
  readonly units_min: number;
  readonly days_max: number;
  /** Policy minutes and canary units at each share before the next. */
  readonly step: { readonly minutes: number; readonly units: number };
}

/** The hard triggers (notes on statistics, §2.3). */
export interface TriggerPolicy {
  readonly error_rate: number;
  readonly response_time_ms: number;
  readonly complaints: { readonly count: number; readonly window_minutes: number };
}

export interface Bound {
  /** Targets that may be added to an agent. */
  readonly add_from?: readonly string[];
  /** Targets that must be left with a weight above 0. */
  readonly min_left?: number;
  /** Numbers: the range, and the largest change at once. For targets, of any one weight's share. */
  readonly min?: number;
  readonly max?: number;
  readonly step_max?: number;
  /** Prompts, in the order in which they are tried. */
  readonly candidates?: readonly string[];
  readonly ops?: readonly string[];
  readonly tokens_added_max?: number;
  /** Adapters, in the order in which they are tried; `none` is always allowed. */
  readonly allow?: readonly string[];
}

export type Risk = 'low' | 'medium' | 'high';

export interface Pipeline {
  readonly schedule: { readonly every_ms: number; readonly jitter: number };
  readonly stages: NamedList<JsonObject>;
}

/** The environment switches (docs/operations.md says what each means). */
export interface Switches {
  readonly feedback_loop: boolean;
  readonly oracle: boolean;
  readonly lora_hotplug: boolean;
  readonly auto_rollback: boolean;
  readonly safety_checks: boolean;
}

/**
 * The version of a prompt reference (`name`, `name@version`, `name@label`), or null where the name,
 * label or version is unknown.
 */
export function promptVersionOf(
  prompts: Policy['prompts'],
  reference: string,
): { readonly name: string; readonly version: number; readonly digest: string } | null {
  const [name = '', pinned = 'production'] = reference.split('@', 2);
  const entry = Object.hasOwn(prompts, name) ? prompts[name] : undefined;
  if (!entry) return null;
  const label = Object.hasOwn(entry.labels, pinned) ? entry.labels[pinned] : undefined;
  const version = /^\d+$/.test(pinned) ? Number(pinned) : label;
  if (version === undefined) return null;
  const digest = Object.hasOwn(entry.versions, version) ? entry.versions[version] : undefined;
  return digest === undefined ? null : { name, version, digest };
}

/** Whether a prompt reference follows a label, so that moving the label changes what it means. */
export function followsLabel(reference: string | undefined, name: string, label: string): boolean {
  if (reference === undefined) return false;
  const [own, pinned = 'production'] = reference.split('@', 2);
  return own === name && pinned === label;
}
