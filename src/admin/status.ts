import { messageOf } from '../core/errors.ts';
import { fold } from '../core/fold.ts';
import type { Plan } from '../core/oracle.ts';
import type { AgentEntry, PluginEntry, Policy } from '../core/policy.ts';
import type { ChildReport, GatewayReport, PluginReport } from '../core/state.ts';
import type { AbSummary } from '../oracle/ab-answers.ts';
import type { FollowUpsStatus } from '../oracle/follow-ups/create-follow-ups.ts';
import type { CanaryStatus, Cycle, MutationStatus } from '../oracle/oracle.ts';
import type { PromptSummary } from '../oracle/prompt-answers.ts';
import type { CandidateSummary, ProposalsStatus } from '../oracle/proposals/proposals.ts';
import { type AdminDeps, limitsOf } from './admin-deps.ts';
import { LATE, within } from './deadline.ts';

/** What `/status` answers. A part that could not be had is null, and `problems` says why. */
export interface Status {
  readonly versions: {
    readonly hive: string;
    readonly node: string;
    /** The policy version that the gateway serves. */
    readonly policy: string | null;
    readonly epoch: number | null;
  };
  readonly ready: boolean;
  readonly problems: readonly string[];
  readonly notices: readonly string[];
  /** Why the YAML on disk is not the one served. */
  readonly policy_error: string | null;
  /** Null where the gateway has not been heard of. */
  readonly frozen: boolean | null;
  readonly gateway: { readonly url: string; readonly calls_open: number | null };
  readonly agents: Readonly<Record<string, AgentEntry>>;
  readonly children: Readonly<Record<string, ChildReport>>;
  readonly targets: GatewayReport['targets'];
  /** In the order in which calls meet them, by id. */
  readonly plugins: Readonly<Record<string, PluginStatus>>;
  readonly withheld: GatewayReport['withheld'];
  readonly canaries: readonly CanaryStatus[] | null;
  /** Prompts with their labels, and the version that each agent gets. */
  readonly prompts: readonly PromptSummary[] | null;
  /** A/B experiments of the policy, and those that were taken out of it last. */
  readonly experiments: readonly AbSummary[] | null;
  /** What the models that propose prompts wait for; null where none can be reached. */
  readonly proposals: ProposalsStatus | null;
  /** The newest prompts that they proposed. */
  readonly candidates: readonly CandidateSummary[] | null;
  /** What the model that classifies follow-ups does; null where none can be reached. */
  readonly follow_ups: FollowUpsStatus | null;
  readonly plans_waiting: readonly Plan[] | null;
  /** The newest executed changes, whatever became of them. */
  readonly changes: readonly MutationStatus[] | null;
  readonly cycle: Pick<Cycle, 'id' | 'state' | 'started_ms' | 'ended_ms'> | null;
  readonly journal: { readonly lag_bytes: number };
  readonly store: { readonly kind: string; readonly ok: boolean };
  readonly time: { readonly scale: number; readonly policy_at: string; readonly wall_at: string };
  readonly data_dir: string;
}

/** A plugin as the policy has it, and what has become of its hooks over all agents. */
export interface PluginStatus extends Pick<PluginEntry, 'use' | 'on_error' | 'budget_ms'> {
  readonly calls: number;
  /** Mean microseconds a call in its synchronous hooks; null where no call has entered it. */
  readonly us_a_call: number | null;
  readonly bypassed: number;
  /** Agents for which its hooks are passed over now. */
  readonly open: readonly string[];
}

/** For the page and the command line. */
export function openCallsText({ gateway }: Status): string {
  const open = gateway.calls_open ?? 0;
  return `${open} ${open === 1 ? 'call is' : 'calls are'} open.`;
}

const CHANGES_MAX = 10;
const CANDIDATES_MAX = 10;

/** Looks everywhere at once and waits for nobody longer than `look_ms`. */
export async function collectStatus(deps: AdminDeps): Promise<Status> {
  const problems: string[] = [];
  const look = lookingAt(deps, problems);
  const [stored, canaries, prompts, experiments, proposals, candidates, follow_ups, ...rest] =
    await Promise.all([
      look('store', () => deps.store.check().then(() => true)),
      look('canaries', () => deps.oracle.canaries()),
      look('prompts', () => deps.prompts.list()),
      look('experiments', async () => (await deps.experiments?.list()) ?? []),
      look('proposals', async () => (await deps.proposals?.status()) ?? null),
      look('candidates', async () => (await deps.proposals?.list()) ?? []),
      look('follow-ups', async () => (await deps.followUps?.status()) ?? null),
      look('plans', () => deps.oracle.plans('needs_approval')),
      look('changes', () => deps.oracle.mutations()),
      look('cycles', () => deps.oracle.cycles(1)),
      look('state', () => deps.oracle.state()),
    ]);
  const [waiting, changes, cycles, state] = rest;
  const report = deps.report();
  if (report === null) problems.push('gateway: no report yet');
  const extras = deps.extras();
  const { policy, contents, notices } = extras.loaded;
  const rows = (state?.rows ?? []).filter((row) => row.state === 'applied');
  const folded = fold(policy, rows, { ...contents, ...state?.content });
  const cycle = cycles?.[0];
  return {
    versions: {
      hive: extras.product_version,
      node: process.version,
      policy: report?.version ?? null,
      epoch: report?.epoch ?? null,
    },
    ready: stored === true && report !== null,
    problems,
    notices,
    policy_error: report?.policy_error ?? null,
    frozen: report?.frozen ?? null,
    gateway: { url: extras.gateway_url, calls_open: report?.calls_open ?? null },
    agents: folded.policy.agents,
    children: { ...report?.children, ...extras.children },
    targets: report?.targets ?? {},
    plugins: pluginsOf(folded.policy, report),
    withheld: report?.withheld ?? {},
    canaries,
    prompts,
    experiments,
    proposals,
    candidates: candidates?.slice(0, CANDIDATES_MAX) ?? null,
    follow_ups,
    plans_waiting: waiting,
    changes: changes?.slice(0, CHANGES_MAX) ?? null,
    cycle: cycle ? withoutStages(cycle) : null,
    journal: { lag_bytes: extras.journal_lag_bytes },
    store: { kind: deps.store.kind, ok: stored === true },
    time: timeOf(deps),
    data_dir: extras.data_dir,
  };
}

/** A look that fails, or is late, is a problem, and null. */
function lookingAt(deps: AdminDeps, problems: string[]) {
  const { look_ms } = limitsOf(deps);
  return async <Value>(what: string, work: () => Promise<Value>): Promise<Value | null> => {
    try {
      const found = await within(work(), look_ms, () => {});
      if (found !== LATE) return found;
      problems.push(`${what}: no answer within ${look_ms} ms`);
    } catch (thrown) {
      problems.push(`${what}: ${messageOf(thrown)}`);
    }
    return null;
  };
}

function pluginsOf({ plugins }: Policy, report: GatewayReport | null): Status['plugins'] {
  const rows = plugins.order.flatMap((id) => {
    const entry = plugins.by[id];
    if (!entry) return [];
    const { use, on_error, budget_ms } = entry;
    const { calls, ms, bypassed, open } = report?.plugins?.[id] ?? UNUSED;
    const us_a_call = calls > 0 ? Math.round((ms * 1e5) / calls) / 100 : null;
    return [[id, { use, on_error, budget_ms, calls, us_a_call, bypassed, open }] as const];
  });
  return Object.fromEntries(rows);
}

const UNUSED: PluginReport = { calls: 0, ms: 0, bypassed: 0, open: [] };

function withoutStages({ id, state, started_ms, ended_ms }: Cycle): Status['cycle'] {
  return { id, state, started_ms, ended_ms };
}

function timeOf({ clock }: AdminDeps): Status['time'] {
  return {
    scale: clock.origin.scale,
    policy_at: new Date(clock.policy_ms()).toISOString(),
    wall_at: new Date(clock.wall_ms()).toISOString(),
  };
}

export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Ready: the store answers and the gateway has been heard of. */
export async function checkReady(deps: AdminDeps): Promise<Readiness> {
  const reasons: string[] = [];
  try {
    const { look_ms } = limitsOf(deps);
    const stored = await within(deps.store.check(), look_ms, () => {});
    if (stored === LATE) reasons.push(`the store gave no answer within ${look_ms} ms`);
  } catch (thrown) {
    reasons.push(`the store does not answer: ${messageOf(thrown)}`);
  }
  if (deps.report() === null) reasons.push('the gateway has not been heard of yet');
  return { ready: reasons.length === 0, reasons };
}
