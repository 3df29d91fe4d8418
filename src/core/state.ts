import type { MetricsSnapshot } from './metrics.ts';
import type { Row } from './oracle.ts';
import type { Contents } from './policy.ts';
import type { PromptSample } from './prompt/sample.ts';
import type { RouteTable } from './routing/route-belief.ts';

/**
 * What crosses between the gateway and the worker (DESIGN §3). Towards the gateway it is always a
 * whole value, never a delta: a lower epoch is ignored, and hearing one twice changes nothing.
 */

/** All live rows; what the gateway folds over its YAML, and keeps in `last-good.json`. */
export interface State {
  readonly epoch: number;
  /** Applied, canary and paused rows, in order of seq. */
  readonly rows: readonly Row[];
  readonly experiments: readonly Experiment[];
  /** Contents that rows bring, by digest. */
  readonly content: Contents;
  /** Runs of A/B experiments; absent where there are none. */
  readonly ab?: readonly AbRun[];
}

/**
 * A run of an experiment of the policy, as the gateway knows it. One that it does not know of is
 * served to nobody; a stopped one serves the arm that its entry says.
 */
export interface AbRun {
  /** `<name>@<digest>`. */
  readonly id: string;
  readonly state: 'running' | 'stopped';
  /** Grows at each transition: a permit of a lower epoch is void. */
  readonly epoch: number;
  /** Arms that are served no more: their units get the agent as it is, and count no further. */
  readonly dropped: readonly string[];
}

export const EMPTY_STATE: State = { epoch: 0, rows: [], experiments: [], content: {} };

/**
 * A canary as the gateway knows it. Its salt is its id. A paused one is served to nobody, and its
 * calls carry no experiment, so that the test skips them.
 */
export interface Experiment {
  readonly id: string;
  readonly agent: string;
  /** The row that the canary arm has beyond the main plan. */
  readonly row: string;
  readonly state: 'canary' | 'paused';
  /** Grows at each transition: a permit of a lower epoch is void. */
  readonly epoch: number;
}

/** The gateway's expiring permission to serve a canary arm: no permit, no exposure. */
export interface Permit {
  readonly experiment: string;
  readonly epoch: number;
  readonly share: number;
  /** Real milliseconds on the monotonic clock, from receipt. */
  readonly ttl_ms: number;
}

/** Data that the gateway follows beside the policy: a whole value, and a stale one is valid. */
export interface Feed {
  readonly name: 'routes';
  /** A lower one is ignored. */
  readonly epoch: number;
  /** By agent. */
  readonly data: Readonly<Record<string, RouteTable>>;
}

export const PERMIT_TTL_MS = 20_000;
export const HEARTBEAT_MS = 5_000;

export type ToGateway =
  | { readonly kind: 'state'; readonly state: State }
  | { readonly kind: 'permits'; readonly permits: readonly Permit[] }
  | { readonly kind: 'feed'; readonly feed: Feed }
  | { readonly kind: 'ready'; readonly port: number };

export type ToWorker =
  /** The journal has grown: read it now rather than at the next poll. */
  | { readonly kind: 'hint' }
  | { readonly kind: 'report'; readonly report: GatewayReport }
  /** What was said in a call, where `capture.bodies` asks for it; lost where nobody listens. */
  | { readonly kind: 'sample'; readonly sample: PromptSample }
  | { readonly kind: 'writers'; readonly list: WriterList };

/** The journal's writers among the gateway's processes, as the parent knows them. */
export interface WriterList {
  readonly names: readonly string[];
  /** Wall time of the list: it says nothing of a writer that began later. */
  readonly at_ms: number;
}

/** What the gateway says of itself each second, for `/status` and `/metrics`. */
export interface GatewayReport {
  readonly version: string;
  readonly epoch: number;
  readonly at_ms: number;
  /** Why the YAML on disk is not the one served, or null. */
  readonly policy_error: string | null;
  readonly frozen: boolean;
  readonly calls_open: number;
  readonly targets: Readonly<Record<string, TargetReport>>;
  /** By id; absent for one that no call has entered yet. */
  readonly plugins?: Readonly<Record<string, PluginReport>>;
  readonly withheld: Readonly<Record<string, string>>;
  /** The processes that the gateway keeps alive: worker, engine. */
  readonly children?: Readonly<Record<string, ChildReport>>;
  readonly metrics: MetricsSnapshot;
}

/** What has become of a plugin's hooks since the process began, over all agents. */
export interface PluginReport {
  /** Calls that entered it. */
  readonly calls: number;
  /** Milliseconds that its synchronous hooks took. */
  readonly ms: number;
  /** Hooks that were passed over, failed or came late. */
  readonly bypassed: number;
  /** Agents for which its fuse is open. */
  readonly open: readonly string[];
}

export interface TargetReport {
  readonly breaker: string;
  readonly in_flight: number;
  /** Its provider limits us now. */
  readonly limited?: boolean;
  /** Calls that wait for a place at it. */
  readonly queue?: number;
  /** Places there are, or null where nothing bounds them yet. */
  readonly limit?: number | null;
  /** How long its first byte usually takes; null where nothing is known yet. */
  readonly first_byte_ms?: number | null;
  /** How it has done of late; absent where nobody has asked it yet. */
  readonly lately?: TargetLately;
}

/** Each null where nothing is known yet. */
export interface TargetLately {
  /** Mean milliseconds to the first byte, by size of the request, of streams and whole answers. */
  readonly first_byte_ms: {
    readonly stream: FirstByteBySize;
    readonly whole: FirstByteBySize;
  };
  /** Share of attempts that failed; each counts half after a minute. */
  readonly error_rate: number;
  /** Least share of its provider's limits that is left; 0 while it refuses us. */
  readonly headroom: number | null;
  readonly requests_left: number | null;
  readonly tokens_left: number | null;
  /** Mean USD and tokens of an answer. */
  readonly cost_usd: number | null;
  readonly tokens_out: number | null;
}

export interface FirstByteBySize {
  readonly small: number | null;
  readonly medium: number | null;
  readonly large: number | null;
  readonly all: number | null;
}

export interface ChildReport {
  readonly state: 'starting' | 'running' | 'restarting' | 'stopped';
  readonly pid: number | null;
  readonly restarts: number;
}

/**
 * `DATA/control.json`: the brake that needs no worker. Written (fsync, rename) by `hive freeze` and
 * `hive rollback --emergency`; the gateway obeys within a second, the worker reconciles.
 */
export interface Control {
  readonly frozen: boolean;
  /** Rollback keys withdrawn by hand; the gateway folds without their rows. */
  readonly withdrawn: readonly string[];
}

export const EMPTY_CONTROL: Control = { frozen: false, withdrawn: [] };
