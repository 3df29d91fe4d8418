import type { Json } from '../canonical.ts';
import { COLUMNS, createFeaturizer } from './features.ts';
import { createIdTable, hash53, type IdTable } from './hash.ts';

/** One decision of a log, as it was made. */
export interface LoggedDecision {
  readonly id: string;
  readonly context?: Json;
  /** What could be chosen; null where the log does not say. */
  readonly actions: readonly string[] | null;
  readonly action: string;
  /** The probability with which the log's policy chose `action`. */
  readonly propensity: number;
  readonly reward: number;
  /** Whose decision it was: rows of one unit are not independent. Its own where absent. */
  readonly unit?: string;
}

/**
 * A log in columns. Row i has `features` at i × `stride`. At 64 columns a row takes about 290
 * bytes, at 32 about 160; the id is kept as a hash. From WIDE_ROWS_MAX rows on, only the first
 * NARROW columns are kept: a million rows then stay below 300 MB with all that follows.
 */
export interface DecisionLog {
  /** Adds a row, or says why it cannot be one: the id is known already. */
  add(row: LoggedDecision): string | null;
  readonly columns: () => LogColumns;
  /** Rows whose propensity is no probability above 0: they are counted and left out. */
  readonly invalid: () => number;
}

export interface LogColumns {
  readonly rows: number;
  readonly ids: IdTable;
  /** Names of all actions, chosen or only possible. */
  readonly actions: ReadonlyMap<string, number>;
  /** Those that were chosen at least once. */
  readonly logged: ReadonlySet<number>;
  /** The options of a row, by `options`; -1 where the log does not say. */
  readonly optionSets: readonly ReadonlySet<number>[];
  readonly options: Int32Array;
  readonly action: Int32Array;
  readonly propensity: Float64Array;
  readonly reward: Float64Array;
  readonly cluster: Uint32Array;
  readonly features: Float32Array;
  readonly stride: number;
  /** Columns of `features` that hold something. */
  readonly used: number;
}

export const WIDE_ROWS_MAX = 400_000;
const NARROW = 32;
const OPTION_SETS_MAX = 20_000;

export function createDecisionLog(): DecisionLog {
  const ids = createIdTable();
  const actions = new Map<string, number>();
  const logged = new Set<number>();
  const sets = createOptionSets(actions);
  const featurizer = createFeaturizer();
  const wide = new Float32Array(COLUMNS);
  let capacity = 1024;
  let stride = COLUMNS;
  let rows = 0;
  let invalid = 0;
  let options = new Int32Array(capacity);
  let action = new Int32Array(capacity);
  let propensity = new Float64Array(capacity);
  let reward = new Float64Array(capacity);
  let cluster = new Uint32Array(capacity);
  let features = new Float32Array(capacity * stride);

  const grow = (): void => {
    capacity = Math.ceil(capacity * 1.5);
    const narrow = capacity > WIDE_ROWS_MAX ? NARROW : COLUMNS;
    options = copied(options, new Int32Array(capacity));
    action = copied(action, new Int32Array(capacity));
    propensity = copied(propensity, new Float64Array(capacity));
    reward = copied(reward, new Float64Array(capacity));
    cluster = copied(cluster, new Uint32Array(capacity));
    features = restrided(features, rows, stride, narrow, capacity);
    stride = narrow;
  };
  return {
    add(row) {
      if (!(row.propensity > 0 && row.propensity <= 1)) {
        invalid += 1;
        return null;
      }
      if (!ids.add(row.id, rows)) return `the id ${JSON.stringify(row.id)} was there before`;
      if (rows === capacity) grow();
      options[rows] = row.actions === null ? -1 : sets.indexOf(row.actions);
      const chosen = indexIn(actions, row.action);
      logged.add(chosen);
      action[rows] = chosen;
      propensity[rows] = row.propensity;
      reward[rows] = row.reward;
      cluster[rows] = hash53(row.unit ?? row.id, 1) % 4294967296;
      wide.fill(0);
      featurizer.write(row.context, wide, 0);
      features.set(stride === COLUMNS ? wide : wide.subarray(0, stride), rows * stride);
      rows += 1;
      return null;
    },
    invalid: () => invalid,
    columns: () => ({
      rows,
      ids,
      actions,
      logged,
      optionSets: sets.all,
      options,
      action,
      propensity,
      reward,
      cluster,
      features,
      stride,
      used: Math.min(stride, featurizer.used()),
    }),
  };
}

function copied<List extends Int32Array | Uint32Array | Float64Array>(from: List, to: List): List {
  to.set(from);
  return to;
}

function restrided(
  from: Float32Array<ArrayBuffer>,
  rows: number,
  stride: number,
  narrow: number,
  capacity: number,
): Float32Array<ArrayBuffer> {
  const to = new Float32Array(capacity * narrow);
  for (let row = 0; row < rows; row += 1) {
    to.set(from.subarray(row * stride, row * stride + narrow), row * narrow);
  }
  return to;
}

function indexIn(names: Map<string, number>, name: string): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}

/** Lists of options are mostly the same few: each is kept once, and of too many none further. */
function createOptionSets(actions: Map<string, number>) {
  const all: ReadonlySet<number>[] = [];
  const known = new Map<string, number>();
  let last: readonly string[] = [];
  let lastIndex = -1;
  return {
    all,
    indexOf(list: readonly string[]): number {
      const same = list.length === last.length && list.every((name, at) => name === last[at]);
      if (lastIndex >= 0 && same) return lastIndex;
      const key = [...list].sort().join('\u0000');
      let index = known.get(key);
      if (index === undefined) {
        if (all.length >= OPTION_SETS_MAX) return -1;
        index = all.length;
        known.set(key, index);
        all.push(new Set(list.map((name) => indexIn(actions, name))));
      }
      last = list;
      lastIndex = index;
      return index;
    },
  };
}
