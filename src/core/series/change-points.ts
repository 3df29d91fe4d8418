import { bentLine, regressionRest } from './bent-line.ts';
import { type Description, describe, noiseLength, type Pricing } from './description-length.ts';
import { at, madSigma, median, present, quantileSorted, sortedCopy } from './numbers.ts';
import { pelt } from './pelt.ts';
import { differences, findSeason } from './season.ts';
import { costOf, FAMILIES, type Family, type Sums, sumsOf } from './segment-costs.ts';
import { mstl } from './stl.ts';

export interface ChangePointOptions {
  /** Season lengths in rows worth trying first. */
  readonly seasons?: readonly number[];
  /** Price of a change's place in units of ln n; 3 by default, more finds fewer. */
  readonly place?: number;
}

/** Rows below which nothing is found, and places that are looked at before the search is refined. */
const ROWS_MIN = 8;
const PLACES_MAX = 800;
/** An eye tells no difference below this share of the range. */
const EYE = 0.012;
/** Penalties of the ladder in units of ln n: from many changes to none. */
const LADDER = [3, 5, 8, 13, 21, 34, 55, 90, 150, 260, 500, 1000];
const BENDS_MAX = 8;
/** Rows that an outlier may last. */
const OUTLIER_ROWS = 3;

/**
 * The indices of the first rows of new segments, for a whole series and after the fact. Outliers are
 * drawn in and a season taken off; then several descriptions compete by their description length:
 * levels or lines, with one variance or one a segment (each by PELT over a ladder of penalties, as
 * CROPS by K. Haynes et al. 2017), a line that bends, and smooth curves with no change at all, all
 * with autocorrelated noise. Invariant to shifting and scaling the values.
 */
export function changePoints(
  values: readonly (number | null)[],
  options: ChangePointOptions = {},
): readonly number[] {
  const { index, value } = present(values);
  const best = bestDescription(value, options);
  return best ? best.changes.map((place) => at(index, place)) : [];
}

/** The shortest description of the values; null if they are too few or all the same. */
export function bestDescription(
  value: Float64Array,
  { seasons, place = 3 }: ChangePointOptions = {},
): Description | null {
  if (value.length < ROWS_MIN) return null;
  const scaled = standardised(value);
  if (scaled === null) return null;
  const pricing = { floor: EYE * EYE, place };
  const plain = shortest(scaled, pricing);
  const season = findSeason(scaled, seasons, Math.floor(scaled.length / 4));
  if (season === null || season.strength < 0.4) return plain;
  const pattern = mstl(scaled, [season.period], 35).seasonal[0] as Float64Array;
  const flat = scaled.map((one, row) => one - at(pattern, row));
  const seasonal = shortest(flat, pricing);
  const price = season.period * Math.log(scaled.length / season.period + 1);
  return seasonal.length + price < plain.length ? seasonal : plain;
}

/** Shifted and scaled so that the range of all but the outermost values is 1. */
function standardised(value: Float64Array): Float64Array | null {
  const sorted = sortedCopy(value);
  const low = quantileSorted(sorted, 0.02);
  const high = quantileSorted(sorted, 0.98);
  const range = high > low ? high - low : at(sorted, sorted.length - 1) - at(sorted, 0);
  if (range <= 0) return null;
  return value.map((one) => (one - low) / range);
}

function shortest(raw: Float64Array, pricing: Pricing): Description {
  const values = withoutOutliers(raw);
  const sums = sumsOf(values);
  const tried = [...curves(values, pricing)];
  for (const family of FAMILIES) tried.push(...ladder(sums, family, pricing));
  return tried.reduce((left, right) => (right.length < left.length ? right : left));
}

/** Smooth curves without a change: what growth looks like when nothing broke. */
function curves(values: Float64Array, { floor }: Pricing): readonly Description[] {
  const rows = values.length;
  const none = FAMILIES[0] as Family;
  return [0, 1, 2, 3].map((degree) => {
    const basis = (row: number): Float64Array =>
      Float64Array.from({ length: degree + 1 }, (_, power) => (row / rows - 0.5) ** power);
    const rest = regressionRest(values, basis, degree + 1);
    const length = noiseLength(rest, [], false, floor) + (degree + 1) * Math.log(rows);
    return { family: none, changes: [], length };
  });
}

function ladder(sums: Sums, family: Family, pricing: Pricing): readonly Description[] {
  const rows = sums.values.length;
  const steps = differences(sums.values);
  const noise = Math.max(madSigma(steps, median(steps)) / Math.SQRT2, EYE);
  const cost = costOf(sums, family, noise * noise, pricing.floor);
  const least = family.own_variance ? 8 : family.parameters + 2;
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
    if (family.line && changes.length > 0 && changes.length <= BENDS_MAX && rows <= 5000) {
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
