import type { Json } from '../canonical.ts';
import { createFeatureRows, type FeatureRows, WIDE_ROWS_MAX } from './feature-rows.ts';
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
 * A log in columns: about 310 bytes a row, and 90 from WIDE_ROWS_MAX rows on, where features are
 * kept more narrowly. The id is kept as a hash.
 */
export interface DecisionLog {
  /** Adds a row, or says why it is none: its id is known already, its propensity is none. */
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
  readonly features: FeatureRows;
  /** Columns of `features` that hold something. */
  readonly used: number;
}

const OPTION_SETS_MAX = 20_000;

export function createDecisionLog(wide_rows_max = WIDE_ROWS_MAX): DecisionLog {
  const ids = createIdTable();
  const actions = new Map<string, number>();
  const logged = new Set<number>();
  const sets = createOptionSets(actions);
  const featurizer = createFeaturizer();
  const wide = new Float32Array(COLUMNS);
  let capacity = 1024;
  let rows = 0;
  let invalid = 0;
  let options = new Int32Array(capacity);
  let action = new Int32Array(capacity);
  let propensity = new Float64Array(capacity);
  let reward = new Float64Array(capacity);
  let cluster = new Uint32Array(capacity);
  const features = createFeatureRows(wide_rows_max);

  const grow = (): void => {
    capacity = Math.ceil(capacity * 1.5);
    options = copied(options, new Int32Array(capacity));
    action = copied(action, new Int32Array(capacity));
    propensity = copied(propensity, new Float64Array(capacity));
    reward = copied(reward, new Float64Array(capacity));
    cluster = copied(cluster, new Uint32Array(capacity));
  };
  return {
    add(row) {
      if (!(row.propensity > 0 && row.propensity <= 1)) {
        invalid += 1;
        const said = Number.isNaN(row.propensity) ? 'none' : row.propensity;
        return `the propensity is ${said}: it is a probability above 0`;
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
      features.add(wide);
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
      used: Math.min(features.width(), featurizer.used()),
    }),
  };
}

function copied<List extends Int32Array | Uint32Array | Float64Array>(from: List, to: List): List {
  to.set(from);
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
