import {
  type Arm,
  type CanaryStats,
  type Cell,
  MATURITY_MS,
  statsInRecord,
} from '../core/canary.ts';
import type { ExperimentRecord } from '../core/ledger.ts';
import { METRICS_OF_HARM } from '../core/observation.ts';
import type { TriggerPolicy } from '../core/policy.ts';
import {
  createTriggerState,
  observeComplaint,
  observeOutcome,
  type TriggerState,
  trippedBy,
} from '../core/triggers.ts';
import type { Watcher } from './collect.ts';
import type { Fact, Verdict } from './facts.ts';

/** What canaries are judged by, in memory: the store's cells, and the gateway's hard triggers. */
export interface Trials extends Watcher {
  start(experiment: ExperimentRecord): void;
  /** From now on its answers above so many milliseconds are slow. */
  slowAbove(experiment: string, slow_ms: number): void;
  statsOf(experiment: ExperimentRecord, at_ms: number, complaint_minutes: number): CanaryStats;
  /** Why the gateway would stop serving the arm by itself, or null. */
  tripped(experiment: string, policy: TriggerPolicy, at_ms: number): string | null;
}

type CellMetric = Cell['metric'];

/** The first call of a unit that shows a metric, and how often it was shown. */
interface Shown {
  readonly arm: Arm;
  readonly share: number;
  readonly at_ms: number;
  events: number;
}

interface Trial {
  slow_ms: number;
  readonly shown: Map<CellMetric, Map<string, Shown>>;
  readonly triggers: TriggerState;
  readonly canary: Map<number, Set<string>>;
  /** The first call of each unit at each share, and when calls came there, both arms. */
  readonly firsts: Map<number, Map<string, number>>;
  readonly calls: Map<number, number[]>;
  /** Control units by share, since the canary was last heard of. */
  since: Map<number, Set<string>>;
  canary_last_ms: number | null;
  readonly complaints: { readonly rater: string; readonly at_ms: number }[];
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export function createTrials(): Trials {
  const trials = new Map<string, Trial>();
  return {
    start({ id, slow_ms }) {
      trials.set(id, {
        slow_ms: slow_ms ?? Number.POSITIVE_INFINITY,
        shown: new Map(),
        triggers: createTriggerState(),
        canary: new Map(),
        firsts: new Map(),
        calls: new Map(),
        since: new Map(),
        canary_last_ms: null,
        complaints: [],
      });
    },
    slowAbove(experiment, slow_ms) {
      const trial = trials.get(experiment);
      if (trial) trial.slow_ms = slow_ms;
    },
    call(fact) {
      const trial = trials.get(fact.exposure?.experiment ?? '');
      if (trial) countCall(trial, fact);
    },
    verdict(fact, verdict, replaced) {
      const trial = trials.get(fact.exposure?.experiment ?? '');
      if (!trial) return;
      if (replaced) countVerdict(trial, fact, replaced, -1);
      countVerdict(trial, fact, verdict, 1);
    },
    statsOf(experiment, at_ms, complaint_minutes) {
      const trial = trials.get(experiment.id);
      if (!trial) throw new RangeError(`no trial of ${experiment.id} was started`);
      return statsOf(trial, experiment, at_ms, at_ms - complaint_minutes * MINUTE_MS);
    },
    tripped(experiment, policy, at_ms) {
      const trial = trials.get(experiment);
      return trial ? trippedBy(trial.triggers, policy, at_ms) : null;
    },
  };
}

function countCall(trial: Trial, fact: Fact): void {
  if (!fact.exposure) return;
  const { arm, share } = fact.exposure;
  const { latency_ms } = fact;
  show(trial, 'assigned', fact, 1);
  for (const metric of METRICS_OF_HARM) {
    const slow = metric === 'slow' && latency_ms > trial.slow_ms;
    if (slow || (metric !== 'slow' && fact.metrics.includes(metric))) show(trial, metric, fact, 1);
  }
  comes(trial, share, fact);
  if (arm === 'control') {
    addTo(trial.since, share, fact.unit);
    return;
  }
  observeOutcome(trial.triggers, fact.metrics.includes('error'), latency_ms);
  addTo(trial.canary, share, fact.unit);
  trial.since = new Map();
  trial.canary_last_ms = Math.max(trial.canary_last_ms ?? 0, fact.at_ms);
}

function countVerdict(trial: Trial, fact: Fact, verdict: Verdict, sign: 1 | -1): void {
  const { rated, dissatisfied, signal, value, rater } = verdict;
  if (!rated) return;
  show(trial, 'rated', fact, sign);
  if (dissatisfied) show(trial, 'dissatisfied', fact, sign);
  const complained = signal === 'complaint' && value > 0 && fact.exposure?.arm === 'canary';
  if (!complained || sign < 0) return;
  trial.complaints.push({ rater, at_ms: verdict.at_ms });
  observeComplaint(trial.triggers, rater, verdict.at_ms);
}

function show(trial: Trial, metric: CellMetric, fact: Fact, sign: 1 | -1): void {
  if (!fact.exposure) return;
  const { arm, share } = fact.exposure;
  const units = trial.shown.get(metric) ?? new Map<string, Shown>();
  trial.shown.set(metric, units);
  const known = units.get(fact.unit);
  const stands = known && known.events > 0 && (sign < 0 || known.at_ms <= fact.at_ms);
  const first = stands ? known : { arm, share, at_ms: fact.at_ms };
  units.set(fact.unit, { ...first, events: (known?.events ?? 0) + sign });
}

function addTo(sets: Map<number, Set<string>>, share: number, unit: string): void {
  const set = sets.get(share) ?? new Set();
  sets.set(share, set.add(unit));
}

function comes(trial: Trial, share: number, { unit, at_ms }: Fact): void {
  const firsts = trial.firsts.get(share) ?? new Map<string, number>();
  firsts.set(unit, Math.min(firsts.get(unit) ?? at_ms, at_ms));
  trial.firsts.set(share, firsts);
  const calls = trial.calls.get(share) ?? [];
  calls.push(at_ms);
  trial.calls.set(share, calls);
}

/** As `canaryArrivals` of the store. */
function arrivalsOf(
  trial: Trial,
  { share, primary }: ExperimentRecord,
  at_ms: number,
): CanaryStats['arrivals'] {
  const since_ms = at_ms - DAY_MS;
  const recent = (trial.calls.get(share) ?? []).filter((call_ms) => call_ms > since_ms);
  trial.calls.set(share, recent);
  const halfway_ms = at_ms - DAY_MS / 2;
  const halves = [true, false].map((late) => recent.some((one) => one > halfway_ms === late));
  if (halves.includes(false)) return null;
  const isNew = (first_ms: number): boolean => first_ms > since_ms;
  const newTo = (metric: CellMetric): number =>
    [...(trial.shown.get(metric)?.values() ?? [])].filter(
      (one) => one.events > 0 && isNew(one.at_ms),
    ).length;
  return {
    at_share: [...(trial.firsts.get(share)?.values() ?? [])].filter(isNew).length,
    in_all: newTo('assigned'),
    primary: newTo(primary),
  };
}

function statsOf(
  trial: Trial,
  experiment: ExperimentRecord,
  at_ms: number,
  complaints_since_ms: number,
): CanaryStats {
  const { share } = experiment;
  const cells = cellsOf(trial, at_ms - MATURITY_MS);
  const complaining = trial.complaints.filter((one) => one.at_ms >= complaints_since_ms);
  const served = new Set([...trial.canary.values()].flatMap((units) => [...units]));
  return {
    ...statsInRecord(experiment, at_ms),
    cells,
    canary_last_ms: trial.canary_last_ms,
    control_units_since: trial.since.get(share)?.size ?? 0,
    canary_units: served.size,
    canary_units_at_share: trial.canary.get(share)?.size ?? 0,
    arrivals: arrivalsOf(trial, experiment, at_ms),
    complaints: new Set(complaining.map(({ rater }) => rater)).size,
  };
}

function cellsOf(trial: Trial, matured_ms: number): readonly Cell[] {
  const cells = new Map<
    string,
    { metric: CellMetric; share: number; arm: Arm; units: number; matured: number }
  >();
  for (const [metric, units] of trial.shown) {
    for (const { arm, share, at_ms, events } of units.values()) {
      if (events <= 0) continue;
      const key = `${metric}\0${share}\0${arm}`;
      const cell = cells.get(key) ?? { metric, share, arm, units: 0, matured: 0 };
      cell.units += 1;
      if (at_ms <= matured_ms) cell.matured += 1;
      cells.set(key, cell);
    }
  }
  return [...cells.values()];
}
