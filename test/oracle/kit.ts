import type { LoadedPolicy } from '../../src/config/snapshot.ts';
import { instantiate, type LeafHost } from '../../src/core/definition.ts';
import { valuesBefore } from '../../src/core/fold.ts';
import type { ExperimentRecord, MutationRecord } from '../../src/core/ledger.ts';
import type {
  Before,
  Finding,
  Gate,
  GateDefinition,
  Mutation,
  MutationDefinition,
  MutationKind,
  MutationType,
  Proposal,
  SegmentObservation,
  Verdict,
} from '../../src/core/oracle.ts';
import { touchedPointers } from '../../src/core/pointer.ts';
import type { Contents, Policy } from '../../src/core/policy.ts';
import { mutations } from '../../src/oracle/mutations/index.ts';
import { newExperiment } from '../../src/oracle/records.ts';
import { oraclePolicy, smallPolicy } from '../core/policy.ts';

/**
 * The oracle's tests share one small world: two agents, three targets, two adapters, two prompts.
 */
export const HOST: LeafHost = {
  keep: (_id, make) => make(),
  monotonic_ms: () => 0,
  policy_ms: () => 0,
};

export const CONTENTS: Contents = {
  d1: { ops: [{ op: 'system.append', text: 'Be brief.' }] },
  d2: { ops: [{ op: 'system.append', text: 'Be kind.' }] },
};

export const POLICY: Policy = {
  ...smallPolicy,
  providers: {
    local: {
      use: 'embedded',
      network: 'public',
      model: 'm.gguf',
      adapters: { upper: 'u.gguf', reverse: 'r.gguf' },
    },
    remote: { use: 'openai', network: 'public' },
  },
  targets: {
    demo: { provider: 'local', fallback_only: false },
    mini: { provider: 'remote', model: 'mini', fallback_only: false },
    bad: { provider: 'remote', model: 'bad', fallback_only: false },
  },
  agents: {
    solo: { targets: { demo: 1 }, adapter: 'none', params: { temperature: 0.5 }, plugins: {} },
    duo: {
      targets: { demo: 0.5, mini: 0.5 },
      prompt: 'tone@1',
      adapter: 'none',
      params: {},
      plugins: {},
    },
  },
  prompts: { tone: { versions: { 1: 'd1', 2: 'd2' }, labels: { production: 1 } } },
  oracle: {
    thresholds: oraclePolicy.thresholds,
    safety: oraclePolicy.safety,
    bounds: {
      '/agents/*/targets': { add_from: ['mini', 'bad'], min_left: 1, step_max: 0.2 },
      '/agents/*/params/temperature': { min: 0, max: 1, step_max: 0.2 },
      '/agents/*/prompt': { candidates: ['tone@1', 'tone@2', 'missing@1'] },
      '/agents/*/adapter': { allow: ['upper', 'unheard-of', 'reverse'] },
    },
    gates: ['schema', 'policy', 'rate', 'conflict', 'rollback', 'confidence', 'approval'],
  },
  pipeline: {
    schedule: { every_ms: 60_000, jitter: 0 },
    stages: {
      order: ['collect', 'analyze', 'decide', 'validate', 'execute', 'monitor'],
      by: { collect: { options: { window_hours: 24, event_limit: 100 } } },
    },
  },
};

export function loadedPolicy(policy: Policy = POLICY): LoadedPolicy {
  return { policy, contents: CONTENTS, source_sha256: '', notices: [], origins: new Map() };
}

type Deep<Value> = { readonly [Key in keyof Value]?: Deep<Value[Key]> };

/** The world's policy with some of the oracle's safety changed. */
export function withSafety(change: Deep<Policy['oracle']['safety']>): Policy {
  const { safety } = POLICY.oracle;
  const merged = { ...safety, ...change, canary: { ...safety.canary, ...change.canary } };
  return { ...POLICY, oracle: { ...POLICY.oracle, safety: merged as typeof safety } };
}

export function withSwitches(change: Partial<Policy['switches']>, policy = POLICY): Policy {
  return { ...policy, switches: { ...policy.switches, ...change } };
}

export function kindOf(definition: MutationDefinition<Record<string, never>>): MutationKind {
  return instantiate(definition, {}, HOST);
}

export const KINDS: readonly MutationKind[] = [...mutations.values()].map((definition) =>
  instantiate(definition, {}, HOST),
);

let made = 0;

/** An id in the shape of ours, another at each call. */
export function testId(kind: string): string {
  made += 1;
  return `${kind}_00000000-0000-7000-8000-${String(made).padStart(12, '0')}`;
}

export function mutationFor(
  patch: Mutation['patch'],
  change: Partial<Mutation> = {},
  policy: Policy = POLICY,
): Mutation {
  const touches = touchedPointers(patch);
  return {
    id: testId('mut'),
    type: 'LORA_APPLY',
    agent: 'solo',
    touches,
    before: valuesBefore(policy, touches),
    patch,
    primary: 'dissatisfied',
    confidence: null,
    risk: 'high',
    expected: null,
    finding: null,
    why: null,
    ...change,
  };
}

export const ADAPTER_PATCH = { agents: { solo: { adapter: 'upper' } } };

export function rowFor(mutation: Mutation, change: Partial<MutationRecord> = {}): MutationRecord {
  const { id, type, agent, touches, before, patch } = mutation;
  return {
    id,
    type,
    agent,
    touches,
    before,
    patch,
    mutation,
    seq: 1,
    rollback_key: id.replace('mut_', 'rollback_'),
    state: 'applied',
    plan: 'plan_x',
    origin: 'oracle',
    experiment: null,
    content: {},
    version_before: '',
    version_after: '',
    executed_ms: 0,
    applied_ms: null,
    ended_ms: null,
    reason: null,
    ...change,
  };
}

export function beforeOf(change: Partial<Before> = {}): Before {
  return {
    at_ms: 10_000_000,
    base: POLICY,
    policy: POLICY,
    contents: CONTENTS,
    rows: [],
    recent: [],
    earlier: [],
    kinds: Object.fromEntries(KINDS.map((kind) => [kind.type, kind])) as Record<
      MutationType,
      MutationKind
    >,
    problemsOf: () => [],
    ...change,
  };
}

/** What a gate says of a mutation. */
export function verdictBy(
  definition: GateDefinition<Record<string, never>>,
  mutation: Mutation,
  before: Partial<Before> = {},
  proposal: Partial<Proposal> = {},
): Verdict {
  const gate: Gate = instantiate(definition, {}, HOST);
  return gate({ mutation, origin: 'oracle', approved: false, ...proposal }, beforeOf(before));
}

export function findingFor(agent: string, change: Partial<Finding> = {}): Finding {
  return {
    id: testId('finding'),
    detector: 'dissatisfaction',
    segment: { agent, target: null },
    key: `${agent}||||dissatisfied`,
    since_ms: 0,
    metric: 'dissatisfied',
    measure: 'share',
    level: 'act',
    direction: 'worse',
    estimate: 0.75,
    p: 0,
    e: null,
    confirmed: null,
    disproof: 'Fewer than that.',
    support: [],
    effect: 0.6,
    interval: [0.6, 0.9],
    yardstick: { kind: 'threshold', value: 0.15 },
    n: 30,
    units: 40,
    severity: 'critical',
    text: 'Too many were dissatisfied.',
    evidence: [],
    ...change,
  };
}

export function segmentOf(
  agent: string,
  target: string | null,
  change: Partial<SegmentObservation> = {},
): SegmentObservation {
  return {
    segment: { agent, target },
    calls: 100,
    users: 100,
    rates: { error: { units: 100, events: 0 }, dissatisfied: { units: 0, events: 0 } },
    quantities: {},
    ratings: 0,
    rating_by_unit: null,
    by_tenant: [],
    errors_by_class: {},
    evidence: ['call_1'],
    ...change,
  };
}

/** A canary's record as it begins, with what a test cares about laid over it. */
export function experimentRecord(over: Partial<ExperimentRecord>): ExperimentRecord {
  const mutation = { id: 'mut_1', agent: 'solo', primary: 'dissatisfied' } as Mutation;
  return { ...newExperiment(mutation, 0.05, null, 0), id: 'exp_1', ...over };
}
