import type { LoadedPolicy } from '../config/snapshot.ts';
import { instantiate } from '../core/definition.ts';
import { GatewayError } from '../core/errors.ts';
import type { DetectorRegistry } from '../core/finding.ts';
import { fold, versionOf } from '../core/fold.ts';
import type { IdKind } from '../core/ids.ts';
import type { ExperimentRecord, MutationRecord, PlanRecord } from '../core/ledger.ts';
import type { Analysis, Finding, GateVerdict, MutationKind } from '../core/oracle.ts';
import type { Policy } from '../core/policy.ts';
import { analyze, type NamedDetector } from '../oracle/analyze.ts';
import { type Canary, stepCanary, stepFor } from '../oracle/canary.ts';
import { frozenAgents, lastChanges } from '../oracle/changes.ts';
import { decide } from '../oracle/decide.ts';
import { detectors } from '../oracle/detectors/index.ts';
import { gates } from '../oracle/gates/index.ts';
import { judge } from '../oracle/monitor.ts';
import { mutations } from '../oracle/mutations/index.ts';
import { createPolicyDetectors } from '../oracle/policy-detectors.ts';
import {
  canariesOf,
  isOpen,
  newExperiment,
  newRow,
  nextSeq,
  planRecord,
  rejectedRows,
  rowOf,
  situationOf,
} from '../oracle/records.ts';
import {
  failedForGood,
  gatesInOrder,
  type NamedGate,
  reasonsOf,
  statusOf,
  validate,
} from '../oracle/validate.ts';
import type { Collector } from './collect.ts';
import { createFolded, type Folded } from './folded.ts';
import { createHost } from './host.ts';
import type { CanaryArm, InForce } from './serve.ts';
import { slowBarOf } from './slow-bar.ts';
import type { Trials } from './trials.ts';

/** The oracle's loop over a world in process: its pure stages, with the ledger in memory. */
export interface Loop {
  /** One cycle: observe, analyze, decide, validate, execute, monitor; then people decide. */
  tick(at_ms: number): Analysis;
  inForce(): InForce;
  /** Moves the gateway's own brake, which needs no tick. */
  brake(at_ms: number): void;
  readonly rows: () => readonly MutationRecord[];
  readonly experiments: () => readonly ExperimentRecord[];
  readonly plans: () => readonly PlanRecord[];
}

export interface LoopInput {
  readonly loaded: LoadedPolicy;
  readonly collector: Collector;
  readonly trials: Trials;
  /** Tells the ids of one run from those of another: units are drawn by them. */
  readonly run: string;
  readonly window_hours: number;
  readonly person: { readonly approves: boolean; readonly after_minutes: number };
  /** Names of the detectors that look; all by default. */
  readonly detectors?: readonly string[];
  /** Why a policy does not stand; by default nothing is wrong with any. */
  readonly problemsOf?: (policy: Policy) => readonly string[];
}

const MINUTE_MS = 60_000;

/** What a loop holds, changed by its steps alone. */
interface State {
  readonly input: LoopInput;
  readonly source: Parameters<typeof situationOf>[0] & Parameters<typeof planRecord>[0];
  readonly detect: (policy: Policy) => readonly NamedDetector[];
  readonly kinds: readonly MutationKind[];
  readonly gates: readonly NamedGate[];
  readonly folded: Folded;
  now_ms: number;
  rows: MutationRecord[];
  experiments: ExperimentRecord[];
  plans: PlanRecord[];
  previous: readonly Finding[];
  inForce: InForce | null;
}

export function createLoop(input: LoopInput): Loop {
  const state = createState(input);
  return {
    tick(at_ms) {
      state.now_ms = at_ms;
      const analysis = look(state);
      plan(state, analysis);
      run(state);
      tend(state);
      people(state);
      return analysis;
    },
    brake(at_ms) {
      state.now_ms = at_ms;
      brake(state);
    },
    inForce() {
      state.inForce ??= inForceNow(state);
      return state.inForce;
    },
    rows: () => state.rows,
    experiments: () => state.experiments,
    plans: () => state.plans,
  };
}

function createState(input: LoopInput): State {
  let ids = 0;
  const clock = { policy_ms: (): number => state.now_ms };
  const host = createHost(clock.policy_ms);
  const kinds = [...mutations.values()].map((definition) => instantiate(definition, {}, host));
  const state: State = {
    input,
    source: {
      clock,
      loaded: () => input.loaded,
      kinds,
      problemsOf: input.problemsOf ?? (() => []),
      createId(kind: IdKind) {
        ids += 1;
        return `${kind}_${input.run}-${ids}`;
      },
    },
    detect: createPolicyDetectors(detectorsNamed(input.detectors), host),
    kinds,
    gates: gatesInOrder(input.loaded.policy.oracle.gates, gates, host),
    folded: createFolded(input.loaded),
    now_ms: 0,
    rows: [],
    experiments: [],
    plans: [],
    previous: [],
    inForce: null,
  };
  return state;
}

function detectorsNamed(names: readonly string[] | undefined): DetectorRegistry {
  const named = [...(names ?? detectors.keys())].map((name) => {
    const definition = detectors.get(name);
    if (!definition) throw new GatewayError('bad_request', `there is no detector ${name}`);
    return [name, definition] as const;
  });
  return new Map(named);
}

const viewOf = ({ rows, experiments }: State) => ({ epoch: 0, rows, experiments });

function look(state: State): Analysis {
  const { input, now_ms, rows } = state;
  const { version, policy } = state.folded(rows);
  const observation = input.collector.observe({
    at_ms: now_ms,
    window_hours: input.window_hours,
    version,
    policy,
    since_ms: lastChanges(rows, policy),
    frozen: frozenAgents(rows, policy, now_ms),
  });
  const { createId } = state.source;
  const analysis = analyze(observation, state.detect(policy), createId, state.previous);
  state.previous = analysis.findings;
  return analysis;
}

function plan(state: State, analysis: Analysis): void {
  const { now_ms, source, kinds, rows } = state;
  state.plans = state.plans.map((one) =>
    isOpen(one) && one.expires_ms <= now_ms ? { ...one, state: 'expired' as const } : one,
  );
  const { policy } = state.folded(rows);
  const situation = { policy, kinds, rows, open: state.plans.filter(isOpen) };
  const { mutations: made } = decide(analysis.findings, situation, source.createId);
  for (const mutation of made) {
    state.plans.push(planRecord(source, 'oracle', [mutation], analysis.id));
  }
}

function run(state: State): void {
  for (const one of state.plans) {
    if (one.state !== 'proposed' && one.state !== 'approved') continue;
    const situation = situationOf(state.source, viewOf(state));
    const verdicts = validate(one, one.state === 'approved', situation, state.gates);
    const status = statusOf(verdicts);
    if (status === 'passed') execute(state, one);
    else if (status === 'needs_approval') move(state, one, 'needs_approval');
    else if (failedForGood(verdicts)) fail(state, one, verdicts);
  }
}

function move(state: State, plan: PlanRecord, to: PlanRecord['state']): void {
  const decided_ms = state.now_ms;
  state.plans = state.plans.map((one) =>
    one.id === plan.id ? { ...one, state: to, decided_ms } : one,
  );
}

function fail(state: State, plan: PlanRecord, verdicts: readonly GateVerdict[]): void {
  move(state, plan, 'failed');
  const reason = reasonsOf(verdicts, 'fail');
  if (reason.includes('superseded')) return;
  state.rows.push(...rejectedRows(plan, viewOf(state), reason, state.now_ms));
}

function execute(state: State, plan: PlanRecord): void {
  const { input, now_ms } = state;
  for (const mutation of plan.mutations) {
    const { base, policy, contents } = state.folded(state.rows);
    const { share } = policy.oracle.safety.canary;
    const row = newRow(plan, mutation, nextSeq(state.rows));
    const before = state.rows.filter((one) => one.state === 'applied').map(rowOf);
    const after = fold(base, [...before, { ...row, state: 'applied' }], contents).policy;
    // What is slow is fixed once the canary has answered its first units.
    const experiment = share >= 1 ? null : newExperiment(mutation, share, null, now_ms);
    state.rows.push({
      ...row,
      state: experiment ? 'canary' : 'applied',
      experiment: experiment?.id ?? null,
      version_before: versionOf(policy),
      version_after: versionOf(after),
      executed_ms: now_ms,
      applied_ms: experiment ? null : now_ms,
    });
    if (!experiment) continue;
    state.experiments.push(experiment);
    input.trials.start(experiment);
  }
  move(state, plan, 'executed');
  state.inForce = null;
}

function tend(state: State): void {
  const { policy } = state.folded(state.rows);
  const { window_minutes } = policy.oracle.safety.rollback.complaints;
  const at_ms = state.now_ms;
  for (const canary of canariesOf(viewOf(state))) {
    const stats = state.input.trials.statsOf(canary.experiment, at_ms, window_minutes);
    const judgement = judge(stats, policy, at_ms);
    const slow_ms = slowBarOf(state.input, canary, stats, at_ms);
    const noted: Canary = {
      row: canary.row,
      experiment: { ...canary.experiment, slow_ms, evidence_max: judgement.harm },
    };
    const step = stepFor(canary, judgement, { at_ms, frozen: false, feedback_loop: true });
    put(state, (step && stepCanary(noted, step, at_ms)) ?? noted);
  }
}

function brake(state: State): void {
  const { policy } = state.folded(state.rows);
  for (const canary of canariesOf(viewOf(state))) {
    const { id } = canary.experiment;
    const why = state.input.trials.tripped(id, policy.oracle.safety.rollback, state.now_ms);
    if (why === null) continue;
    const reason = `the gateway's trigger: ${why}`;
    const next = stepCanary(canary, { kind: 'withdraw', reason }, state.now_ms);
    if (next) put(state, next);
  }
}

/** What was noted of a canary's evidence alone changes nothing that is served. */
function put(state: State, { row, experiment }: Canary): void {
  const known = state.experiments.find(({ id }) => id === experiment.id);
  const before = state.rows.find(({ id }) => id === row.id);
  state.rows = state.rows.map((one) => (one.id === row.id ? row : one));
  state.experiments = state.experiments.map((one) => (one.id === experiment.id ? experiment : one));
  const same = known?.state === experiment.state && known.share === experiment.share;
  if (!same || before?.state !== row.state) state.inForce = null;
}

/** A person who approves whatever waits, after some time; or who never looks. */
function people(state: State): void {
  const { approves, after_minutes } = state.input.person;
  if (!approves) return;
  for (const one of state.plans) {
    const waited_ms = state.now_ms - (one.decided_ms ?? state.now_ms);
    if (one.state !== 'needs_approval' || waited_ms < after_minutes * MINUTE_MS) continue;
    move(state, one, 'approved');
  }
}

function inForceNow(state: State): InForce {
  const { base, policy, version, contents } = state.folded(state.rows);
  const applied = state.rows.filter((row) => row.state === 'applied').map(rowOf);
  const arms = new Map<string, CanaryArm>();
  for (const { row, experiment } of canariesOf(viewOf(state))) {
    if (experiment.state !== 'canary') continue;
    const own = fold(base, [...applied, { ...rowOf(row), state: 'applied' }], contents).policy;
    arms.set(row.agent, { experiment, version: versionOf(own), policy: own });
  }
  return { version, policy, arms };
}
