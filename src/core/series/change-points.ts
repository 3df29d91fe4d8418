import { bentLine, regressionRest } from './bent-line.ts';
import { type Description, describe, noiseLength, type Pricing } from './description-length.ts';
import { at, madSigma, mean, median, present, quantileSorted, sortedCopy } from './numbers.ts';
import { pelt } from './pelt.ts';
import { differences, findSeason } from './season.ts';
import { costOf, FAMILIES, type Family, type Sums, sumsOf } from './segment-costs.ts';
import { mstl } from './stl.ts';

export interface ChangePointOptions {
  /** Season lengths in rows worth trying first. */
  readonly seasons?: readonly number[];
  /** Price of a change's place in units of ln n; 3 by default, more finds fewer. */
  readonly place?: number;
  /** A longer series is searched by means of blocks of rows, no more than so many: 100,000. */
  readonly rows_max?: number;
}

/**
 * Rows below which nothing is found, and places that are looked at before the search is refined.
 */
const ROWS_MIN = 8;
const ROWS_MAX = 100_000;
const PLACES_MAX = 500;
/** An eye tells no difference below this share of the range. */
const EYE = 0.012;
/** Penalties of the ladder in units of ln n: from many changes to none. */
const LADDER = [3, 5, 8, 13, 21, 34, 55, 90, 150, 260, 500, 1000];
const BENDS_MAX = 6;
const BENT_ROWS_MAX = 2000;
/** A season is looked for in so many rows at the end, and up to this length. */
const SEASON_ROWS = 8000;
const SEASON_MAX = 800;
/** Rows that an outlier may last. */
const OUTLIER_ROWS = 3;

/**
 * The indices of the first rows of new segments, for a whole series and after the fact. Outliers
 * are drawn in and a season taken off; then several descriptions compete by their description
 * length: levels or lines, with one variance or one a segment (each by PELT over a ladder of
 * penalties, as CROPS by K. Haynes et al. 2017), a line that bends, and smooth curves with no
 * change at all, all with autocorrelated noise. Invariant to shifting and scaling the values.
 *
 * Time and memory beyond the values themselves are bounded: of more than `rows_max` rows the means
 * of equal blocks are searched, and a place is then right to within a block.
 */
export function changePoints(
  values: ArrayLike<number | null>,
  options: ChangePointOptions = {},
): readonly number[] {
  const { index, value } = present(values);
  const size = Math.max(1, Math.ceil(value.length / (options.rows_max ?? ROWS_MAX)));
  const blocks = size === 1 ? value : meansOfBlocks(value, size);
  const seasons = options.seasons?.map((rows) => rows / divisorOf(rows, size));
  const best = bestDescription(blocks, { ...options, ...(seasons && { seasons }) });
  return best ? withoutSteps(blocks, best.changes).map((place) => at(index, place * size)) : [];
}

/** The last one of what is left: a block as well, if a shorter one. */
function meansOfBlocks(value: Float64Array, size: number): Float64Array {
  const means = new Float64Array(Math.ceil(value.length / size));
  for (let block = 0; block < means.length; block += 1) {
    means[block] = mean(value.subarray(block * size, (block + 1) * size));
  }
  return means;
}

/** The greatest common divisor: a season comes back after so many blocks that rows are whole. */
function divisorOf(left: number, right: number): number {
  return right === 0 ? left : divisorOf(right, left % right);
}

/** Values that span less than this factor are the same by their logarithm. */
const LOG_SPAN_MIN = 2;

/** A change that takes a few rows is one: what is between two levels on the way is no segment. */
function withoutSteps(value: Float64Array, changes: readonly number[]): readonly number[] {
  const kept: number[] = [];
  const level = (from: number, to: number): number => median(value.subarray(from, to));
  changes.forEach((place, index) => {
    const before = kept.at(-1);
    if (before === undefined || place - before > OUTLIER_ROWS + 1) {
      kept.push(place);
      return;
    }
    const [from, between, to] = [
      level(kept.at(-2) ?? 0, before),
      level(before, place),
      level(place, changes[index + 1] ?? value.length),
    ];
    if ((between - from) * (to - between) <= 0) kept.push(place);
  });
  return kept;
}

/** The shortest description of the values; null if they are too few or all the same. */
export function bestDescription(
  value: Float64Array,
  options: ChangePointOptions = {},
): Description | null {
  if (value.length < ROWS_MIN) return null;
  const plain = described(value, options);
  const least = value.reduce((low, one) => Math.min(low, one), Number.POSITIVE_INFINITY);
  const most = value.reduce((high, one) => Math.max(high, one), Number.NEGATIVE_INFINITY);
  if (plain === null || !(least > 0 && most > LOG_SPAN_MIN * least)) return plain;
  // Noise and seasons that grow with the level are even on a logarithmic scale. To compare, the
  // length there is told in the units of here: less 2 ln of the slope of the scale at each value.
  const logs = described(value.map(Math.log), options);
  if (logs === null) return plain;
  const [range, log_range] = [rangeOf(value).size, rangeOf(value.map(Math.log)).size];
  const slopes = value.reduce((sum, one) => sum + Math.log(range / (one * log_range)), 0);
  const length = logs.length - 2 * slopes + 2 * Math.log(value.length);
  return length < plain.length ? { ...logs, length } : plain;
}

function described(
  value: Float64Array,
  { seasons, place = 3 }: ChangePointOptions,
): Description | null {
  const scaled = standardised(value);
  if (scaled === null) return null;
  const pricing = { floor: EYE * EYE, place };
  const plain = shortest(scaled, pricing);
  const end = scaled.subarray(Math.max(0, scaled.length - SEASON_ROWS));
  const season = findSeason(end, seasons, Math.min(SEASON_MAX, Math.floor(end.length / 4)));
  if (season === null || season.strength < 0.4) return plain;
  const pattern = mstl(scaled, [season.period], 35).seasonal[0] as Float64Array;
  const flat = scaled.map((one, row) => one - at(pattern, row));
  const seasonal = shortest(flat, pricing);
  // The pattern may drift: a level and a slope each phase, or pulses would pass for a season.
  const price = 2 * season.period * Math.log(scaled.length);
  const length = seasonal.length + price;
  return length < plain.length ? { ...seasonal, length } : plain;
}

/** Shifted and scaled so that the range of all but the outermost values is 1. */
function standardised(value: Float64Array): Float64Array | null {
  const { low, size } = rangeOf(value);
  return size > 0 ? value.map((one) => (one - low) / size) : null;
}

function rangeOf(value: Float64Array): { readonly low: number; readonly size: number } {
  const sorted = sortedCopy(value);
  const low = quantileSorted(sorted, 0.02);
  const high = quantileSorted(sorted, 0.98);
  const whole = at(sorted, sorted.length - 1) - at(sorted, 0);
  return { low, size: high > low ? high - low : whole };
}

function shortest(raw: Float64Array, pricing: Pricing): Description {
  const values = withoutOutliers(raw);
  const sums = sumsOf(values);
  const tried = [...curves(values, pricing)];
  for (const family of FAMILIES) tried.push(...ladder(sums, family, pricing));
  return tried.reduce((left, right) => (right.length < left.length ? right : left));
}

/** Rates of growth or decay over the whole series that smooth curves are tried with. */
const GROWTHS = [-6, -3, -1.5, 1.5, 3, 6];
/** Fewer rows are not let bend twice without a change: a cubic would explain anything. */
const CUBIC_ROWS = 60;

/** Smooth curves without a change: polynomials, and growth that levels off or takes off. */
function curves(values: Float64Array, { floor }: Pricing): readonly Description[] {
  const rows = values.length;
  const powers = (degree: number) => (x: number, term: number) =>
    (x - 0.5) ** Math.min(term, degree);
  const growth = (rate: number) => (x: number, term: number) =>
    term === 0 ? 1 : Math.exp(rate * (x - 0.5));
  const shapes = [
    ...[0, 1, 2, ...(rows >= CUBIC_ROWS ? [3] : [])].map((degree) => ({
      size: degree + 1,
      parameters: degree + 1,
      term: powers(degree),
    })),
    ...GROWTHS.map((rate) => ({ size: 2, parameters: 3, term: growth(rate) })),
  ];
  return shapes.map(({ size, parameters, term }) => {
    const basis = Float64Array.from({ length: rows * size }, (_, place) =>
      term(Math.floor(place / size) / rows, place % size),
    );
    const rest = regressionRest(values, basis, size);
    const length = noiseLength(rest, [], false, floor) + parameters * Math.log(rows);
    return { family: FAMILIES[0] as Family, changes: [], length };
  });
}

function ladder(sums: Sums, family: Family, pricing: Pricing): readonly Description[] {
  const rows = sums.values.length;
  const steps = differences(sums.values);
  const noise = Math.max(madSigma(steps, median(steps)) / Math.SQRT2, EYE);
  const cost = costOf(sums, family, noise * noise, pricing.floor);
  // A burst of a few rows is no new spread, and few rows tell none.
  const least = family.own_variance
    ? Math.max(8, Math.min(25, Math.round(rows * 0.06)))
    : family.parameters + 2;
  const segment_min = Math.max(least, Math.min(10, Math.round(rows * 0.015)));
  const step = Math.max(1, Math.ceil(rows / PLACES_MAX));
  const found: Description[] = [];
  const known = new Set<string>();
  for (const rung of LADDER) {
    const penalty = rung * Math.log(rows);
    const coarse = pelt({ length: rows, cost, penalty, segment_min, step });
    const changes = step > 1 ? refined(coarse, cost, rows, step) : coarse;
    const key = changes.join();
    if (known.has(key)) continue;
    known.add(key);
    found.push(describe(sums, family, changes, pricing));
    if (family.line && changes.length > 0 && changes.length <= BENDS_MAX && rows <= BENT_ROWS_MAX) {
      found.push(bentLine(sums.values, changes, pricing));
    }
    if (changes.length === 0) break;
  }
  return found;
}

/** Each change moved to the best row within a grid step. */
function refined(
  changes: readonly number[],
  cost: (from: number, to: number) => number,
  rows: number,
  step: number,
): readonly number[] {
  const places = [...changes];
  places.forEach((place, index) => {
    const before = places[index - 1] ?? 0;
    const after = places[index + 1] ?? rows;
    let least = Number.POSITIVE_INFINITY;
    for (let moved = place - step; moved <= place + step; moved += 1) {
      if (moved < before + 3 || moved > after - 3) continue;
      const total = cost(before, moved) + cost(moved, after);
      if (total >= least) continue;
      least = total;
      places[index] = moved;
    }
  });
  return places;
}

/** Runs of up to three rows far off the running median are set to it. */
function withoutOutliers(values: Float64Array): Float64Array {
  const reach = OUTLIER_ROWS + 1;
  const rows = values.length;
  if (rows < 4 * reach) return values;
  const local = values.map((_, row) =>
    median(values.subarray(Math.max(0, row - reach), Math.min(rows, row + reach + 1))),
  );
  const off = values.map((value, row) => value - at(local, row));
  const robust = madSigma(off, 0);
  const plain = off.reduce((sum, one) => sum + Math.abs(one), 0) / rows;
  const bound = 4 * Math.max(robust, plain, EYE);
  return values.map((value, row) => (Math.abs(at(off, row)) > bound ? at(local, row) : value));
}
