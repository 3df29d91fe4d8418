import type { Answer, AnswerVerdict } from './answer/answer.ts';
import type { Attempt, Call, CallPatch, CallResponse, Outcome } from './call.ts';
import type { Definition, LeafHost, Registry } from './definition.ts';
import type { AgentEntry } from './policy.ts';
import type { Price } from './price.ts';
import type { PromptVersion } from './prompt/version.ts';
import type { LiveFigures } from './routing/live-figures.ts';
import type { RouteTable } from './routing/route-belief.ts';

/**
 * In-path code. Hooks are three pairs; on the way in they run in policy order, on the way out in
 * reverse, and for every plugin whose `onRequest` ran, `onRequestEnd` runs exactly once.
 *
 * A hook may throw, or take longer than its entry's `budget_ms`: the plugin is then bypassed (or
 * the call fails, with `on_error: fail`), the event carries a marker, and enough failures open its
 * fuse. A hook that returns no promise costs the hot path nothing but itself: prefer synchronous
 * ones.
 */
export interface Plugin {
  /** Reduce. May return a patch; must not change the call. */
  onRequest?(call: Call, scope: Scope): MaybePromise<CallPatch | undefined>;
  /** First. Before each attempt, synchronous; `false` skips this target. */
  onAttempt?(target: TargetView, scope: Scope): boolean | undefined;
  /** Observe. After each attempt, synchronous. */
  onAttemptEnd?(attempt: Attempt, scope: Scope): void;
  /**
   * First. An answer that has come whole, before any of it goes to the client: `{next: true}` keeps
   * it back and asks the next target, within `resilience.escalation`; nothing lets it go out. A
   * stream is held back for it, where another target could be asked; the last one never is. If it
   * throws or is slow, or nobody asked afterwards answers, the answer in hand goes out. Where no
   * plugin has this hook, no answer is held.
   */
  onAnswer?(call: Call, answer: Answer, scope: Scope): MaybePromise<AnswerVerdict | undefined>;
  /** Reduce. Whole answers; may return a replacement of the body. */
  onResponse?(response: CallResponse, scope: Scope): MaybePromise<CallResponse | undefined>;
  /**
   * Reduce, synchronous. One server-sent event's `data`, parsed; return a replacement, `null` to
   * drop it, or nothing to keep it. Where no live plugin has this hook, bytes are relayed
   * untouched.
   */
  onChunk?(chunk: Chunk, scope: Scope): Chunk | null | undefined;
  /** Observe, exactly once, also after a reply, an error or an abort. Synchronous. */
  onRequestEnd?(outcome: Outcome, scope: Scope): void;
}

export type MaybePromise<Value> = Value | Promise<Value>;
export type Chunk = { readonly [key: string]: unknown };

/** A target as plugins see it: a name with facts, never credentials. */
export interface TargetView {
  readonly name: string;
  readonly weight: number;
  readonly fallback_only: boolean;
  /** Adapters that this target can be asked for by name. */
  readonly adapters: readonly string[];
}

/** How a choice is drawn, beyond its probabilities. */
export interface Drawn {
  /** A unit is drawn anew with each epoch of the table; 0, the default, keeps its choice. */
  readonly epoch: number;
  /** Recorded with the decision: whose probabilities these are. */
  readonly category: string;
  /** Recorded with the decision: what of the call they depend on. */
  readonly features?: string;
}

/** What one plugin may see and do during one call. */
export interface Scope {
  readonly agent: AgentView;
  /** A header of the client's request, by its name in lower case, or null; never a credential. */
  header(name: string): string | null;
  /** Whether a target can be asked now: its breaker is not open. */
  healthy(target: string): boolean;
  /** Calls that a target has in its hands now, of all agents of this process. */
  inFlight(target: string): number;
  /** How a target has done of late; null where nobody has asked it yet. To read, not to keep. */
  figures(target: string): Readonly<LiveFigures> | null;
  /** What a target's tokens cost; null where the policy states nothing. */
  price(target: string): Price | null;
  /**
   * Picks one option with the unit's hash (salt `name:agent:epoch`) and records the decision.
   * Options in `excluded` are taken out first, the rest renormalised and flagged `health`.
   * Probabilities are relative. With one option the decision is `forced: only`. Throws on an empty
   * list.
   */
  choose(
    name: string,
    options: readonly string[],
    probabilities: readonly number[],
    excluded?: ReadonlySet<string>,
    drawn?: Drawn,
  ): string;
  /** The call's category by the policy's rules; `other` where none holds. */
  category(): string;
  /** Tells the client that something was dropped or degraded (`x-hive-notes`). */
  note(subject: string, reason: string): void;
  /** Leaves a short marker in the call's event, such as `lora-hotplug:unknown`. */
  mark(marker: string): void;
}

/** The agent that the call is for, as the snapshot compiled it. */
export interface AgentView {
  readonly name: string;
  readonly entry: AgentEntry;
  /**
   * The candidates that are present: their provider is configured. In order of their names, so that
   * equal versions serve alike.
   */
  readonly targets: readonly TargetView[];
  /** The prompt patch in force, resolved to one version; null where there is none. */
  readonly prompt: {
    readonly name: string;
    readonly version: number;
    readonly content: PromptVersion;
  } | null;
  /** False when LORA_HOTPLUG_ENABLED=false. */
  readonly lora_hotplug: boolean;
}

export interface PublishedRoutes {
  readonly epoch: number;
  readonly table: RouteTable;
}

export interface PluginHost extends LeafHost {
  /** The agent for which this instance was compiled. */
  readonly agent: string;
  /**
   * A condition on a call, in CEL over its facts, as `categories:` have them. Throws a RangeError
   * that says what is wrong with it; the compiled one never throws, what it cannot tell is false.
   */
  condition(when: string): (call: Call) => boolean;
  /**
   * What the worker last published of an agent's routes, or null. It may be old, and is valid.
   */
  routes(agent: string): PublishedRoutes | null;
}

export type PluginDefinition<Options> = Definition<Options, PluginHost, Plugin>;
export type PluginRegistry = Registry<PluginHost, Plugin>;
