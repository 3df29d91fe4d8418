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
 * A log in columns. Row i has `stride` features, read by `featureAt`. At 64 columns a row takes
 * about 290 bytes, at 32 about 160, and the id is kept as a hash. From WIDE_ROWS_MAX rows on only
 * the first NARROW columns are kept: a million rows then need about 450 MB in all, the process and
 * what is computed of them included.
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
  /** Features of CHUNK rows each, so that a long log is never copied to grow. */
  readonly features: readonly Float32Array[];
  readonly stride: number;
  /** Columns of `features` that hold something. */
  readonly used: number;
}

export const WIDE_ROWS_MAX = 400_000;
const NARROW = 32;
/** Rows of a chunk of features. WIDE_ROWS_MAX is a multiple of it. */
const CHUNK = 8_000;
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
  let features: Float32Array[] = [];

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
      if (rows === WIDE_ROWS_MAX) {
        features = features.map((chunk) => narrowed(chunk, stride));
        stride = NARROW;
      }
      if (rows % CHUNK === 0) features.push(new Float32Array(CHUNK * stride));
      wide.fill(0);
      featurizer.write(row.context, wide, 0);
      (features.at(-1) as Float32Array).set(wide.subarray(0, stride), (rows % CHUNK) * stride);
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

function narrowed(chunk: Float32Array, stride: number): Float32Array {
  const narrow = new Float32Array(CHUNK * NARROW);
  for (let row = 0; row < CHUNK; row += 1) {
    narrow.set(chunk.subarray(row * stride, row * stride + NARROW), row * NARROW);
  }
  return narrow;
}

/** The value of one feature of a row. */
export function featureAt({ features, stride }: LogColumns, row: number, column: number): number {
  const chunk = features[Math.floor(row / CHUNK)] as Float32Array;
  return chunk[(row % CHUNK) * stride + column] as number;
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
