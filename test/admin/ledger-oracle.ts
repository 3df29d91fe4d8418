import { sameJson } from '../../src/core/canonical.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { Analysis, Mutation, MutationType, Plan, PlanState } from '../../src/core/oracle.ts';
import { mergePatch, touchedPointers } from '../../src/core/pointer.ts';
import { EMPTY_STATE } from '../../src/core/state.ts';
import type {
  CanaryStatus,
  Cycle,
  Execution,
  MutationStatus,
  Oracle,
} from '../../src/oracle/oracle.ts';
import { findingFor } from '../oracle/kit.ts';

/** An oracle that keeps its ledger in maps and needs no traffic: findings are put into it. */
export interface LedgerOracle extends Oracle {
  readonly ledger: Ledger;
}

export interface Ledger {
  readonly plans: Map<string, Plan>;
  readonly cycles: Map<string, Cycle>;
  readonly canaries: Map<string, CanaryStatus>;
  readonly withdrawn: Set<string>;
  /** What the last call of each was given, as it arrived. */
  readonly heard: Map<string, unknown>;
  /** A cycle that is running ends when this resolves. */
  cycleGate: Promise<void>;
  analysis: Analysis;
}

export const AT_MS = Date.UTC(2026, 10, 23, 12);

export function createLedgerOracle(): LedgerOracle {
  const ledger: Ledger = {
    plans: new Map(),
    cycles: new Map(),
    canaries: new Map(),
    withdrawn: new Set(),
    heard: new Map(),
    cycleGate: Promise.resolve(),
    analysis: anAnalysis(),
  };
  return { ledger, ...stagesOf(ledger), ...cyclesOf(ledger), ...plansOf(ledger) };
}

export function anAnalysis(): Analysis {
  return {
    id: 'analysis_1',
    at_ms: AT_MS,
    window: { from_ms: AT_MS - 86_400_000, to_ms: AT_MS },
    version: 'abc',
    findings: [
      findingFor('helpful_assistant', {
        id: 'finding_1',
        segment: { agent: 'helpful_assistant', target: 'demo' },
        key: 'helpful_assistant|demo|||dissatisfied',
        since_ms: AT_MS,
        estimate: 0.6,
        p: 0.001,
        effect: 0.4,
        interval: [0.45, 0.75],
        yardstick: { kind: 'threshold', value: 0.2 },
        n: 12,
        units: 20,
        text: '12 of 20 units of helpful_assistant were dissatisfied.',
        evidence: ['call_1'],
      }),
    ],
    insufficient: [],
  };
}

function aMutation(index: number, type: string, agent: string, patch: Mutation['patch']): Mutation {
  return {
    id: `mut_${index}`,
    type: type as MutationType,
    agent,
    touches: touchedPointers(patch),
    before: {},
    patch,
    primary: 'dissatisfied',
    confidence: null,
    risk: 'high',
    expected: null,
    finding: null,
    why: null,
  };
}

function planOf(ledger: Ledger, plan: unknown): Plan {
  const id = (plan as { id?: unknown }).id;
  const stored = ledger.plans.get(String(id));
  if (!stored) throw new GatewayError('not_found', `There is no plan ${String(id)}.`);
  const copy = { ...stored, state: (plan as Plan).state };
  if (!sameJson(copy, plan)) throw new GatewayError('edited', `Plan ${stored.id} was edited.`);
  return stored;
}

function stagesOf(
  ledger: Ledger,
): Pick<Oracle, 'analyze' | 'plan' | 'validate' | 'execute' | 'rollback'> {
  return {
    async analyze(input) {
      ledger.heard.set('analyze', input);
      return ledger.analysis;
    },
    async plan(input) {
      ledger.heard.set('plan', input);
      const wanted = 'mutations' in input ? input.mutations : [];
      const plan: Plan = {
        id: `plan_${ledger.plans.size + 1}`,
        origin: 'mutations' in input ? 'person' : 'oracle',
        state: 'needs_approval',
        created_ms: AT_MS,
        expires_at: '2026-11-24T12:00:00.000Z',
        mutations: wanted.map((one, index) => aMutation(index, one.type, one.agent, one.patch)),
      };
      ledger.plans.set(plan.id, plan);
      return plan;
    },
    async validate(plan) {
      const stored = planOf(ledger, plan);
      const passed = stored.state === 'approved' || stored.mutations.length === 0;
      return {
        plan_id: stored.id,
        status: passed ? 'passed' : 'needs_approval',
        overall_passed: passed,
        verdicts: stored.mutations.map((mutation) => ({
          mutation: mutation.id,
          gate: 'approval',
          verdict: passed ? 'pass' : 'needs_approval',
          reason: passed ? 'approved' : 'risk is high',
          inputs_sha256: 'ab',
        })),
      };
    },
    async execute(plan, { dry_run }) {
      const stored = planOf(ledger, plan);
      if (stored.state !== 'approved') {
        throw new GatewayError('approval_required', `Plan ${stored.id} waits for approval.`);
      }
      if (!dry_run) {
        for (const { id, agent } of stored.mutations) {
          ledger.canaries.set(`rollback_${id}`, aCanary(id, agent));
        }
      }
      return executionOf(stored, dry_run);
    },
    async rollback({ rollback_key, emergency }) {
      ledger.heard.set('rollback', { rollback_key, emergency });
      const already = ledger.withdrawn.has(rollback_key);
      if (!already && !ledger.canaries.delete(rollback_key)) {
        throw new GatewayError('not_found', `There is no rollback key ${rollback_key}.`, {
          param: 'rollback_key',
        });
      }
      ledger.withdrawn.add(rollback_key);
      return { rolled_back: [rollback_key], version: 'abc', effective: true, already };
    },
  };
}

function executionOf(plan: Plan, dry_run: boolean): Execution {
  return {
    plan_id: plan.id,
    dry_run,
    effective: !dry_run,
    mutations: plan.mutations.map(({ id }) => ({
      id,
      rollback_key: `rollback_${id}`,
      state: dry_run ? 'planned' : 'canary',
      share: 0.05,
      version_before: 'abc',
      version_after: 'def',
    })),
  };
}

function aCanary(id: string, agent: string): CanaryStatus {
  return {
    experiment: `exp_${id}`,
    agent,
    mutation: id,
    rollback_key: `rollback_${id}`,
    state: 'canary',
    share: 0.05,
    started_ms: AT_MS,
    judgement: { action: 'continue', reason: 'too few units yet' },
  };
}

function cyclesOf(
  ledger: Ledger,
): Pick<Oracle, 'tick' | 'cycle' | 'cycles' | 'canaries' | 'mutations' | 'state' | 'permits'> {
  return {
    async tick() {
      const id = `cycle_${ledger.cycles.size + 1}`;
      const begun = { id, started_ms: AT_MS, stages: { collect: { calls: 3 } } };
      ledger.cycles.set(id, { ...begun, state: 'running', ended_ms: null });
      await ledger.cycleGate;
      const done: Cycle = { ...begun, state: 'done', ended_ms: AT_MS + 5 };
      ledger.cycles.set(id, done);
      return done;
    },
    async cycle(id) {
      const found = ledger.cycles.get(id);
      if (!found) throw new GatewayError('not_found', `There is no cycle ${id}.`);
      return found;
    },
    cycles: async (limit) => [...ledger.cycles.values()].reverse().slice(0, limit),
    canaries: async () => [...ledger.canaries.values()],
    mutations: async () => [...ledger.canaries.values()].map(mutationOfCanary),
    state: async () => mergePatch(EMPTY_STATE, {}) as unknown as typeof EMPTY_STATE,
    permits: async () => [],
  };
}

function plansOf(ledger: Ledger): Pick<Oracle, 'approve' | 'reject' | 'plans' | 'planById'> {
  const planById = async (id: string): Promise<Plan> => {
    const found = ledger.plans.get(id);
    if (!found) throw new GatewayError('not_found', `There is no plan ${id}.`);
    return found;
  };
  const move = async (id: string, state: PlanState): Promise<Plan> => {
    const moved = { ...(await planById(id)), state };
    ledger.plans.set(id, moved);
    return moved;
  };
  return {
    planById,
    async approve(id, by, note) {
      ledger.heard.set('approve', { id, by, note });
      return move(id, 'approved');
    },
    reject: (id) => move(id, 'rejected'),
    plans: async (state) =>
      [...ledger.plans.values()].filter((plan) => state === null || plan.state === state),
  };
}

function mutationOfCanary(canary: CanaryStatus): MutationStatus {
  return {
    id: canary.mutation,
    rollback_key: canary.rollback_key,
    type: 'LORA_APPLY',
    agent: canary.agent,
    state: canary.state,
    patch: {},
    plan: 'plan_0',
    origin: 'person',
    executed_ms: canary.started_ms,
    version_before: 'a',
    version_after: 'b',
    reason: null,
  };
}
