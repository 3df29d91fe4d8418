import { COLUMNS } from './features.ts';

/**
 * The features of a log's rows. Wide at first, 64 columns of 4 bytes. A log that grows beyond
 * WIDE_ROWS_MAX keeps the first NARROW columns, a byte each: 1/21 of a standard deviation of the
 * rows so far, cut at 6 of them, where the reward model cuts as well. A model of rounded features
 * is a model like another: it may explain less, and the doubly robust estimate is as valid.
 */
export interface FeatureRows {
  /** Adds a row of COLUMNS values. */
  add(values: Float32Array): void;
  /** Writes the first `count` features of a row to `into`, from `at` on. */
  read(row: number, count: number, into: Float64Array, at: number): void;
  /** Columns that are kept. */
  readonly width: () => number;
}

export const WIDE_ROWS_MAX = 200_000;
const NARROW = 32;
/** Rows of a chunk, so that a long log is never copied to grow. */
const CHUNK = 8_000;
/** Deviations from the mean that a byte holds, and its steps to each side. */
const DEVIATIONS = 6;
const STEPS = 127;

export function createFeatureRows(wide_rows_max = WIDE_ROWS_MAX): FeatureRows {
  let wide: Float32Array[] = [];
  let narrow: Int8Array[] = [];
  let scale: Scale | null = null;
  let rows = 0;
  return {
    add(values) {
      if (rows === wide_rows_max) {
        const found = scaleOf(wide, rows);
        narrow = wide.map((chunk) => narrowed(chunk, found));
        wide = [];
        scale = found;
      }
      const fresh = rows % CHUNK === 0;
      const at = rows % CHUNK;
      if (scale === null) {
        if (fresh) wide.push(new Float32Array(CHUNK * COLUMNS));
        (wide.at(-1) as Float32Array).set(values, at * COLUMNS);
      } else {
        if (fresh) narrow.push(new Int8Array(CHUNK * NARROW));
        writeBytes(values, 0, narrow.at(-1) as Int8Array, at * NARROW, scale);
      }
      rows += 1;
    },
    read(row, count, into, at) {
      const place = Math.floor(row / CHUNK);
      if (scale === null) {
        const chunk = wide[place] as Float32Array;
        const base = (row % CHUNK) * COLUMNS;
        for (let k = 0; k < count; k += 1) into[at + k] = chunk[base + k] as number;
        return;
      }
      const chunk = narrow[place] as Int8Array;
      const base = (row % CHUNK) * NARROW;
      const { mean, step } = scale;
      for (let k = 0; k < count; k += 1) {
        into[at + k] = (mean[k] as number) + (chunk[base + k] as number) * (step[k] as number);
      }
    },
    width: () => (scale === null ? COLUMNS : NARROW),
  };
}

/** What a step of a column's bytes is worth, and where its 0 is. */
interface Scale {
  readonly mean: Float64Array;
  readonly step: Float64Array;
}

function scaleOf(chunks: readonly Float32Array[], rows: number): Scale {
  const mean = new Float64Array(NARROW);
  const step = new Float64Array(NARROW);
  for (let k = 0; k < NARROW; k += 1) {
    let count = 0;
    let squares = 0;
    let centre = 0;
    for (let row = 0; row < rows; row += 1) {
      const value = chunks[Math.floor(row / CHUNK)]?.[(row % CHUNK) * COLUMNS + k] as number;
      // Welford's sums (1962); what is no number is the mean.
      if (!Number.isFinite(value)) continue;
      count += 1;
      const off = value - centre;
      centre += off / count;
      squares += off * (value - centre);
    }
    const deviation = Math.sqrt(squares / Math.max(1, count));
    mean[k] = centre;
    // A column that was constant so far may begin to move: then by its own size, or by 1.
    const unit = deviation > 1e-9 * (1 + Math.abs(centre)) ? deviation : Math.abs(centre) || 1;
    step[k] = (unit * DEVIATIONS) / STEPS;
  }
  return { mean, step };
}

function narrowed(chunk: Float32Array, scale: Scale): Int8Array {
  const bytes = new Int8Array(CHUNK * NARROW);
  for (let row = 0; row < CHUNK; row += 1) {
    writeBytes(chunk, row * COLUMNS, bytes, row * NARROW, scale);
  }
  return bytes;
}

function writeBytes(
  from: Float32Array,
  at: number,
  into: Int8Array,
  place: number,
  { mean, step }: Scale,
): void {
  for (let k = 0; k < NARROW; k += 1) {
    const steps = Math.round(
      ((from[at + k] as number) - (mean[k] as number)) / (step[k] as number),
    );
    // What is no number is kept as 0, the mean.
    into[place + k] = Math.min(STEPS, Math.max(-STEPS, steps));
  }
}
