import {
  createLatencyEvidence,
  freezeReference,
  type LatencyReference,
  latencyEvidenceLn,
  latencyScore,
  observeScore,
  REFERENCE_UNITS,
} from '../core/latency-evidence.ts';
import { evidenceLn, isSilence, PROMOTION_LIMIT } from '../core/sequential.ts';
import { type CanaryCounts, createCounts, leansToHarm, splitText } from './canary-counts.ts';

/** A row of `hive lab canary`, read. */
export interface UnitRow {
  readonly time: string;
  readonly at_ms: number;
  readonly canary: boolean;
  readonly unit: string;
  readonly ok: boolean;
  readonly latency_ms: number | null;
  /** 1 to 5; at most 2 is dissatisfied. */
  readonly rating: number | null;
}

export interface CanaryOptions {
  /** The share of units that the canary was assigned. */
  readonly share: number;
  readonly units_min: number;
  readonly days_max: number;
}

export interface Decision {
  readonly decision: 'continue' | 'promote' | 'revert' | 'inconclusive';
  readonly reason: string;
}

export type Harm = 'error' | 'dissatisfied' | 'slow' | 'latency';

/**
 * The e-value at which b is reverted: α 4 % for all metrics together. (The oracle gives each metric
 * 5 %; here the verdict as a whole is to be trusted, with some room to measure that it can be.)
 */
export const REVERT_LIMIT = 25;

/**
 * What each metric may add: their e-values' weighted mean is an e-value, so a canary that does no
 * harm is reverted with probability ≤ 1/25, at whatever row one looks.
 */
export const HARM_WEIGHTS: Readonly<Record<Harm, number>> = {
  error: 0.88,
  dissatisfied: 0.05,
  slow: 0.02,
  latency: 0.05,
};
/** Of RATE_RATIOS: what is worth a quick revert is some times control's rate. They add up to 1. */
const RATIO_WEIGHTS: readonly number[] = [0.04, 0.04, 0.07, 0.1, 0.15, 0.22, 0.22, 0.16];
const HARMS = Object.keys(HARM_WEIGHTS) as readonly Harm[];
const DAY_MS = 86_400_000;

/**
 * Judges a stream row by row; what it has decided it repeats. It looks at no later row, so a prefix
 * of the rows gets a prefix of the decisions. Keeps a number per unit.
 */
export function createCanaryStream(options: CanaryOptions): (row: UnitRow) => Decision {
  const state = createState(options);
  return (row) => {
    if (state.final !== null) return state.final;
    observe(state, row);
    const decision = decide(state, row);
    if (decision.decision !== 'continue') state.final = decision;
    return decision;
  };
}

/** Bits of what is known of a unit; above them the silence that it was last counted in. */
const CANARY = 1;
const ERRED = 2;
const SLOW = 4;
const RATED = 8;
const DISSATISFIED = 16;
const TIMED = 32;
const BITS = 64;

interface State {
  readonly options: CanaryOptions;
  readonly units: Map<string, number>;
  readonly counts: CanaryCounts;
  readonly latency: ReturnType<typeof createLatencyEvidence>;
  /** Latencies of control until there are enough, then null. */
  learning: number[] | null;
  reference: LatencyReference | null;
  /** ln of the e-values of harm. */
  readonly harm_ln: Record<Harm, number>;
  first_ms: number | null;
  canary_last_ms: number | null;
  /** Silences so far: a number that each row of the canary raises. */
  silence: number;
  control_since: number;
  final: Decision | null;
}

function createState(options: CanaryOptions): State {
  return {
    options,
    units: new Map(),
    counts: createCounts(options.share),
    latency: createLatencyEvidence(),
    learning: [],
    reference: null,
    harm_ln: { error: 0, dissatisfied: 0, slow: 0, latency: 0 },
    first_ms: null,
    canary_last_ms: null,
    silence: 0,
    control_since: 0,
    final: null,
  };
}

function observe(state: State, row: UnitRow): void {
  const { counts, units } = state;
  state.first_ms ??= row.at_ms;
  let known = units.get(row.unit);
  if (known === undefined) {
    known = row.canary ? CANARY : 0;
    add(state, 'assigned', row.canary);
  }
  // A unit is of the arm that it was first seen in, whatever a later row says.
  const canary = (known & CANARY) !== 0;
  known = observeSilence(state, row, canary, known);
  if (!row.ok && (known & ERRED) === 0) {
    known |= ERRED;
    add(state, 'error', canary);
    state.harm_ln.error = evidenceLn([counts.error], 'harm', RATIO_WEIGHTS);
  }
  if (row.rating !== null && (known & RATED) === 0) {
    known |= RATED;
    add(state, 'rated', canary);
  }
  if (row.rating !== null && row.rating <= 2 && (known & DISSATISFIED) === 0) {
    known |= DISSATISFIED;
    add(state, 'dissatisfied', canary);
    state.harm_ln.dissatisfied = evidenceLn([counts.dissatisfied], 'harm', RATIO_WEIGHTS);
  }
  if (row.latency_ms !== null) known = observeLatency(state, row.latency_ms, canary, known);
  units.set(row.unit, known);
}

function add(
  state: State,
  what: 'assigned' | 'error' | 'slow' | 'rated' | 'dissatisfied',
  canary: boolean,
) {
  state.counts[what][canary ? 'canary' : 'control'] += 1;
}

function observeSilence(state: State, row: UnitRow, canary: boolean, known: number): number {
  if (canary) {
    state.silence += 1;
    state.control_since = 0;
    state.canary_last_ms = Math.max(row.at_ms, state.canary_last_ms ?? row.at_ms);
    return known;
  }
  // Counted from 1, so that a unit never seen before is in no silence.
  const counted = Math.floor(known / BITS);
  if (counted === state.silence + 1) return known;
  state.control_since += 1;
  return (known % BITS) + (state.silence + 1) * BITS;
}

function observeLatency(state: State, latency_ms: number, canary: boolean, known: number): number {
  const first = (known & TIMED) === 0;
  const { reference, learning, counts, options } = state;
  if (reference === null) {
    if (first && !canary && learning !== null) {
      learning.push(latency_ms);
      if (learning.length >= REFERENCE_UNITS) {
        state.reference = freezeReference(learning);
        state.learning = null;
      }
    }
    return known | TIMED;
  }
  if (first) {
    const score = latencyScore(reference, latency_ms);
    observeScore(state.latency, score, canary, options.share);
    state.harm_ln.latency = latencyEvidenceLn(state.latency);
    counts.scores[canary ? 'canary' : 'control'] += score;
    counts.scored[canary ? 'canary' : 'control'] += 1;
  }
  if (latency_ms <= reference.bar_ms || (known & SLOW) !== 0) return known | TIMED;
  add(state, 'slow', canary);
  state.harm_ln.slow = evidenceLn([counts.slow], 'harm', RATIO_WEIGHTS);
  return known | TIMED | SLOW;
}

function decide(state: State, row: UnitRow): Decision {
  const { counts, options } = state;
  const harm = harmReason(state);
  const excess = splitText(counts.assigned, 'excess');
  if (harm !== null && excess === null) return { decision: 'revert', reason: harm };
  const silence = silenceReason(state, row);
  if (silence !== null) return { decision: 'revert', reason: silence };
  const held = excess ?? promotionHold(state);
  if (held === null) {
    return { decision: 'promote', reason: `fewer units with ${improved(state).join(', ')}` };
  }
  if (row.at_ms - (state.first_ms ?? row.at_ms) >= options.days_max * DAY_MS) {
    const reason = `undecided after ${options.days_max} days (${held}): the old is kept`;
    return { decision: 'inconclusive', reason };
  }
  return { decision: 'continue', reason: held };
}

/** The weighted mean of the e-values, and what it is made of. */
function harmEvidence({ harm_ln }: State): number {
  let sum = 0;
  for (const harm of HARMS) sum += HARM_WEIGHTS[harm] * Math.exp(Math.min(harm_ln[harm], 100));
  return sum;
}

function harmReason(state: State): string | null {
  const evidence = harmEvidence(state);
  if (evidence < REVERT_LIMIT) return null;
  const worst = HARMS.reduce((left, right) =>
    HARM_WEIGHTS[right] * Math.exp(state.harm_ln[right] - state.harm_ln[left]) > HARM_WEIGHTS[left]
      ? right
      : left,
  );
  const what = worst === 'latency' ? 'higher latency' : `more units with ${worst}`;
  const seen = worst === 'latency' ? state.counts.scored : state.counts[worst];
  return (
    `${what} in b: evidence ${shortly(evidence)} of ${REVERT_LIMIT} ` +
    `(${seen.canary} units of b, ${seen.control} of a)`
  );
}

function silenceReason(state: State, row: UnitRow): string | null {
  if (state.canary_last_ms === null) return null;
  const silent_ms = row.at_ms - state.canary_last_ms;
  if (!isSilence(silent_ms, state.control_since, state.options.share)) return null;
  return `no row of b for 30 minutes while a had ${state.control_since} units`;
}

/** Metrics that a promotion may rest on: what fails and what users say, never speed alone. */
const PRIMARIES = ['error', 'dissatisfied'] as const;

function improved({ counts }: State): readonly string[] {
  return PRIMARIES.filter(
    (metric) => evidenceLn([counts[metric]], 'improvement') >= Math.log(PROMOTION_LIMIT),
  );
}

/** Why it is not promoted yet, or null. */
function promotionHold(state: State): string | null {
  const { counts, options } = state;
  const units = counts.assigned.canary;
  if (units < options.units_min)
    return `${units} of ${options.units_min} units of b; no harm shown`;
  const lns = PRIMARIES.map((metric) => evidenceLn([counts[metric]], 'improvement'));
  // The mean of two e-values is one: α is 1 % for both claims together.
  const evidence = lns.reduce((sum, ln) => sum + Math.exp(Math.min(ln, 100)), 0) / lns.length;
  if (evidence < PROMOTION_LIMIT) {
    return `no harm shown; evidence ${shortly(evidence)} of ${PROMOTION_LIMIT} that b is better`;
  }
  const split = splitText(counts.assigned, 'any') ?? splitText(counts.rated, 'raters');
  if (split !== null) return split;
  const worse = HARMS.find((metric) => leansToHarm(counts, metric));
  return worse === undefined ? null : `held: b is better, but ${worse} leans the other way`;
}

function shortly(evidence: number): string {
  return evidence >= 1e4 ? evidence.toExponential(1) : evidence.toFixed(1);
}
