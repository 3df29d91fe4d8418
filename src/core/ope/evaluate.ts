import {
  bestRobust,
  type Candidate,
  effectiveSize,
  ips,
  type Joined,
  type RobustEstimate,
  snips,
} from './estimate.ts';
import type { DecisionLog, LogColumns } from './log.ts';
import { ESS_MIN, joinRefusal, logRefusal, percent, weightRefusal } from './refusals.ts';
import { fitRewardModels, type RewardModels } from './reward-model.ts';
import { constantInterval, rewardRange, within } from './reward-range.ts';

/** With fewer effective rows of the rarer kind of reward even a wide interval would be a guess. */
export const EVENTS_MIN = 0.5;
export interface Evaluation {
  /** null where the verdict is `refused`. */
  readonly estimate: number | null;
  readonly ci: readonly [number, number] | null;
  /** Kish's effective sample size of the uncut weights, in rows. */
  readonly ess: number;
  readonly verdict: 'ok' | 'refused';
  readonly reason: string;
  /** Rows of the log that the target says something of. */
  readonly n: number;
  /** The other estimators, for comparison. */
  readonly others: { readonly ips: number; readonly snips: number; readonly dm: number } | null;
}

/** Takes the target's rows one by one, in any order; none is kept. */
export interface Evaluating {
  /** What the target would do in the decision of that id; returns why the row cannot be used. */
  add(id: string, probabilities: ReadonlyMap<string, number>): string | null;
  result(): Evaluation;
}

/** How far the sum of a row's probabilities may be from 1. */
const SUM_TOLERANCE = 0.02;

export function evaluateTarget(log: DecisionLog): Evaluating {
  const columns = log.columns();
  const { rows } = columns;
  // An effective size is at most the rows: of so few nothing is answered, and no model is needed.
  const models = rows < ESS_MIN ? NO_MODELS : fitRewardModels(columns);
  const weight = new Float64Array(rows).fill(-1);
  const values = Array.from({ length: models.count }, () => new Float32Array(rows));
  const target: TargetRow = { actions: [], shares: [], inside: 0 };
  let unknown = 0;
  let outside = 0;
  return {
    add(id, probabilities) {
      const problem = problemOf(probabilities);
      if (problem !== null) return problem;
      const row = columns.ids.find(id);
      if (row < 0) {
        unknown += 1;
        return null;
      }
      if ((weight[row] as number) >= 0) return `the id ${JSON.stringify(id)} was there before`;
      readTarget(columns, row, probabilities, target);
      const { actions, shares, inside } = target;
      const chosen = columns.action[row] as number;
      models.turnTo(row);
      for (let model = 0; model < models.count; model += 1) {
        let sum = 0;
        for (let at = 0; at < actions.length; at += 1) {
          sum += (shares[at] as number) * models.predict(model, actions[at] as number);
        }
        // Where the log cannot follow, the reward is taken for that of the rest.
        const value = inside > 0 ? sum / inside : models.predict(model, chosen);
        (values[model] as Float32Array)[row] = value;
      }
      outside += Math.max(0, 1 - inside);
      const at = actions.indexOf(chosen);
      weight[row] = (at < 0 ? 0 : (shares[at] as number)) / (columns.propensity[row] as number);
      return null;
    },
    result: () => conclude(log, columns, { weight, values, models, outside, unknown }),
  };
}

const NO_MODELS: RewardModels = { count: 0, turnTo() {}, predict: () => 0 };

/** What the target's rows have left of each row of the log. */
interface Seen {
  readonly weight: Float64Array;
  /** Of each reward model, its mean under the target. */
  readonly values: readonly Float32Array[];
  readonly models: RewardModels;
  /** The target's probability on what the log never chose, summed over the rows. */
  readonly outside: number;
  readonly unknown: number;
}

function problemOf(probabilities: ReadonlyMap<string, number>): string | null {
  let sum = 0;
  for (const [action, share] of probabilities) {
    if (!(share >= 0 && share <= 1 + 1e-9)) {
      return `the probability of ${JSON.stringify(action)} is not from 0 to 1`;
    }
    sum += share;
  }
  const off = Math.abs(sum - 1) > SUM_TOLERANCE;
  return off ? `the probabilities add up to ${Number(sum.toFixed(4))}, not 1` : null;
}

/** One row of the target; used again for the next, since there may be a million. */
interface TargetRow {
  readonly actions: number[];
  readonly shares: number[];
  /** What the shares add up to. */
  inside: number;
}

/** The target's probabilities on actions that this row's log could take and that it knows of. */
function readTarget(
  { actions, options, optionSets, logged }: LogColumns,
  row: number,
  probabilities: ReadonlyMap<string, number>,
  into: TargetRow,
): void {
  const possible = optionSets[options[row] as number];
  let total = 0;
  for (const share of probabilities.values()) total += share;
  into.actions.length = 0;
  into.shares.length = 0;
  into.inside = 0;
  for (const [name, share] of probabilities) {
    if (share === 0) continue;
    const action = actions.get(name);
    if (action === undefined || !logged.has(action)) continue;
    if (possible && !possible.has(action)) continue;
    into.actions.push(action);
    into.shares.push(share / total);
    into.inside += share / total;
  }
}

function conclude(log: DecisionLog, columns: LogColumns, seen: Seen): Evaluation {
  const rows = joinedRows(seen.weight);
  const whole = rows.length === columns.rows ? null : rows;
  const joined = joinedOf(columns, seen.weight, whole);
  const ess = effectiveSize(joined.weight);
  const unsupported = seen.outside / rows.length;
  const refusal =
    logRefusal(log, columns) ??
    joinRefusal(rows.length, seen.unknown) ??
    weightRefusal(joined.weight, ess, unsupported);
  const known = { ess, n: rows.length };
  if (refusal !== null) {
    return { ...REFUSED, ...known, reason: refusal };
  }
  const found = bestRobust(joined, candidatesOf(columns, seen, whole));
  if (found.events < EVENTS_MIN) {
    const reason =
      `too few rewards that differ: of the rarer kind there are ${found.events.toFixed(1)} ` +
      `effective rows under the target, below ${EVENTS_MIN}; no interval could be trusted`;
    return { ...REFUSED, ...known, reason };
  }
  const range = rewardRange(joined.reward);
  const ci = range[0] === range[1] ? constantInterval(range[0], ess) : widened(found, unsupported);
  return {
    estimate: within(found.estimate, range),
    ci: range[0] === range[1] ? ci : [within(ci[0], range), within(ci[1], range)],
    ...known,
    verdict: 'ok',
    reason: reasonOf(found, ess, {
      unsupported,
      unjoined: columns.rows - rows.length,
      unknown: seen.unknown,
    }),
    others: { ips: ips(joined), snips: snips(joined), dm: found.dm },
  };
}

const REFUSED = { estimate: null, ci: null, others: null, verdict: 'refused' } as const;

/** Rows of the log that the target says something of. */
function joinedRows(weight: Float64Array): Uint32Array {
  const rows = new Uint32Array(weight.length);
  let count = 0;
  for (let row = 0; row < weight.length; row += 1) {
    if ((weight[row] as number) < 0) continue;
    rows[count] = row;
    count += 1;
  }
  return rows.subarray(0, count);
}

/** Where all rows are joined, null for `rows`, nothing is copied: a million are large. */
function joinedOf(columns: LogColumns, weight: Float64Array, rows: Uint32Array | null): Joined {
  const { reward, cluster } = columns;
  if (rows === null) {
    const all = columns.rows;
    return { weight, reward: reward.subarray(0, all), cluster: cluster.subarray(0, all) };
  }
  const { length } = rows;
  return {
    weight: picked(weight, rows, new Float64Array(length)),
    reward: picked(reward, rows, new Float64Array(length)),
    cluster: picked(cluster, rows, new Uint32Array(length)),
  };
}

/** Predictions of what was chosen are made when they are asked for: the features are all here. */
function candidatesOf(
  { rows, action }: LogColumns,
  { models, values }: Seen,
  only: Uint32Array | null,
): readonly Candidate[] {
  const length = only?.length ?? rows;
  return values.map((value, model) => ({
    q(into) {
      for (let at = 0; at < length; at += 1) {
        const row = only === null ? at : (only[at] as number);
        models.turnTo(row);
        into[at] = models.predict(model, action[row] as number);
      }
    },
    value: () => (only === null ? value : picked(value, only, new Float32Array(length))),
  }));
}

/** `TypedArray.from` with a function first makes a list of all values, of 16 bytes each. */
function picked<List extends Float32Array | Float64Array | Uint32Array>(
  from: List,
  rows: Uint32Array,
  into: List,
): List {
  for (let at = 0; at < rows.length; at += 1) into[at] = from[rows[at] as number] as number;
  return into;
}

/** Of the mass without support nothing is known: it may earn nothing, or twice as much. */
function widened(found: RobustEstimate, unsupported: number): readonly [number, number] {
  const more = unsupported * Math.abs(found.estimate);
  return [found.ci[0] - more, found.ci[1] + more];
}

interface Apart {
  /** The target's share on actions never chosen. */
  readonly unsupported: number;
  /** Rows of the log without a target, and of the target without a log. */
  readonly unjoined: number;
  readonly unknown: number;
}

function reasonOf(found: RobustEstimate, ess: number, apart: Apart): string {
  const { unsupported, unjoined, unknown } = apart;
  const cut =
    found.clip === null
      ? ''
      : `; weights cut at ${found.clip}, its bias ${found.clip_bias.toPrecision(2)} is covered`;
  const mass =
    unsupported > 1e-6 ? `; ${percent(unsupported)} of the target is on actions never chosen` : '';
  const left = unjoined > 0 ? `; ${unjoined} rows of the log have no target and are left out` : '';
  const more = unknown > 0 ? `; ${unknown} rows of the target have no id of the log` : '';
  return `doubly robust, effective sample size ${Math.round(ess)}${cut}${mass}${left}${more}`;
}
