import { QUANTITIES, type Quantity } from '../core/observation.ts';
import {
  addToTally,
  binOf,
  copyOfTally,
  countOf,
  createTally,
  mergeTally,
  type Tally,
  tallyQuantile,
} from '../core/sketch.ts';
import type { Cell } from './cells.ts';
import type { Columns } from './columns-given.ts';
import {
  decodeTallies,
  encodeTallies,
  type Halves,
  noTallies,
  type Tallies,
} from './sketch-text.ts';
import { MEDIANS } from './unit-day.ts';

/** What a row of `rollups` says, or what a batch adds to one: sums, so that merging is adding. */
export interface RollupSum {
  /** By name and half of units. */
  readonly counts: Map<string, Halves<number>>;
  /** Distinct units by metric (`unitsAt` in `unit-day.ts`). */
  readonly units: Map<string, number[]>;
  /** Changed in place; null where nothing was measured. */
  tallies: Halves<Tallies> | null;
  /** Ids by when they were called and their half; null takes one back. */
  readonly evidence: Map<string, readonly [at_ms: number, half: 0 | 1] | null>;
}

export interface RollupKey {
  readonly span_ms: number;
  readonly at_ms: number;
  readonly arm: string;
  readonly cell: Cell;
}

/** A row as it is stored. */
export interface RollupRow extends Cell {
  readonly span_ms: number;
  readonly at_ms: number;
  readonly arm: string;
  readonly counts: Readonly<Record<string, Halves<number>>>;
  readonly units: Readonly<Record<string, readonly number[]>> | null;
  readonly sketches: string | null;
  readonly evidence: readonly (readonly [at_ms: number, id: string, half: 0 | 1])[] | null;
}

/** Of an hour and cell: the newest that are kept. */
export const EVIDENCE_OF_HOUR_MAX = 20;

export function createSum(): RollupSum {
  return { counts: new Map(), units: new Map(), tallies: null, evidence: new Map() };
}

export function addCount(sum: RollupSum, name: string, half: 0 | 1, by: number): void {
  if (by === 0) return;
  const known = sum.counts.get(name);
  if (known) known[half] += by;
  else sum.counts.set(name, half === 0 ? [by, 0] : [0, by]);
}

/** Whether it adds nothing: a unit that comes again steps counts up and down by the same. */
export function isNothing({ counts, units, tallies, evidence }: RollupSum): boolean {
  if (tallies !== null || evidence.size > 0) return false;
  for (const [first, second] of counts.values()) if (first !== 0 || second !== 0) return false;
  for (const by of units.values()) if (by.some((count) => Math.abs(count) > 1e-9)) return false;
  return true;
}

export function addUnits(sum: RollupSum, metric: string, at: number, by: number): void {
  let known = sum.units.get(metric);
  if (!known) {
    known = [];
    sum.units.set(metric, known);
  }
  while (known.length <= at) known.push(0);
  known[at] = (known[at] as number) + by;
}

/** A measured value with its bin, so that one logarithm serves the sketches of all cells. */
export interface Measure {
  /** Its place in `QUANTITIES`. */
  readonly at: number;
  readonly value: number;
  readonly bin: number | null;
}

export function measuresOf(values: Readonly<Partial<Record<Quantity, number | null>>>): Measure[] {
  return QUANTITIES.flatMap((name, at) => {
    const value = values[name];
    if (value === undefined || value === null || !Number.isFinite(value)) return [];
    return [{ at, value, bin: binOf(value) }];
  });
}

export function addMeasures(sum: RollupSum, half: 0 | 1, measures: readonly Measure[]): void {
  if (measures.length === 0) return;
  sum.tallies ??= noTallies();
  const tallies = sum.tallies[half];
  for (const { at, value, bin } of measures) {
    tallies[at] ??= createTally();
    addToTally(tallies[at], value, bin);
  }
}

/** Adds what a row says. */
export function addRow(sum: RollupSum, row: Omit<RollupRow, 'span_ms' | 'at_ms' | 'arm'>): void {
  for (const [name, [first, second]] of Object.entries(row.counts)) {
    addCount(sum, name, 0, first);
    addCount(sum, name, 1, second);
  }
  for (const [metric, counts] of Object.entries(row.units ?? {})) {
    for (const [at, by] of counts.entries()) addUnits(sum, metric, at, by);
  }
  if (row.sketches !== null) {
    sum.tallies = addTallies(decodeTallies(row.sketches), sum.tallies);
  }
  for (const [at_ms, id, half] of row.evidence ?? []) {
    if (!sum.evidence.has(id)) sum.evidence.set(id, at_ms === TAKEN_BACK ? null : [at_ms, half]);
  }
}

/** When a call was made whose evidence is taken back. */
const TAKEN_BACK = -1;

/** A sum as it waits to be added to a row: without what follows from it. */
export function partOfSum({ span_ms, at_ms, arm, cell }: RollupKey, sum: RollupSum): RollupRow {
  const { counts, units, tallies, evidence } = sum;
  return {
    span_ms,
    at_ms,
    arm,
    ...cell,
    counts: Object.fromEntries(counts),
    units: Object.fromEntries(units),
    sketches: tallies === null ? null : encodeTallies(tallies),
    evidence: [...evidence].map(([id, known]) => [known?.[0] ?? TAKEN_BACK, id, known?.[1] ?? 0]),
  };
}

/** Adds another sum; its tallies may become part of this one. */
export function addSum(into: RollupSum, from: RollupSum): void {
  for (const [name, [first, second]] of from.counts) {
    addCount(into, name, 0, first);
    addCount(into, name, 1, second);
  }
  for (const [metric, counts] of from.units) {
    for (const [at, by] of counts.entries()) addUnits(into, metric, at, by);
  }
  if (from.tallies !== null) into.tallies = addTallies(from.tallies, into.tallies);
  for (const [id, known] of from.evidence) into.evidence.set(id, known);
}

/** Adds what was counted and measured, without units and evidence, which each span has its own. */
export function addMeasured(into: RollupSum, { counts, tallies }: RollupSum): void {
  for (const [name, [first, second]] of counts) {
    addCount(into, name, 0, first);
    addCount(into, name, 1, second);
  }
  if (tallies !== null) into.tallies = addTallies(into.tallies ?? noTallies(), copyOf(tallies));
}

export function copyOf([first, second]: Halves<Tallies>): Halves<Tallies> {
  const copied = (tallies: Tallies): Tallies =>
    tallies.map((tally) => (tally === null ? null : copyOfTally(tally)));
  return [copied(first), copied(second)];
}

/** Changes `into` and returns it. */
export function addTallies(into: Halves<Tallies>, from: Halves<Tallies> | null): Halves<Tallies> {
  for (const half of from === null ? [] : ([0, 1] as const)) {
    for (const [at, tally] of (from as Halves<Tallies>)[half].entries()) {
      const known = into[half][at] ?? null;
      if (tally === null) continue;
      if (known === null) into[half][at] = tally;
      else mergeTally(known, tally);
    }
  }
  return into;
}

/** The row that a sum makes, with what series are read from. */
export function rowOfSum({ span_ms, at_ms, arm, cell }: RollupKey, sum: RollupSum) {
  const { counts, units, tallies, evidence } = sum;
  const [calls0, calls1] = counts.get('calls') ?? [0, 0];
  return {
    span_ms,
    at_ms,
    arm,
    ...cell,
    calls: calls0 + calls1,
    counts: Object.fromEntries([...counts].filter(([, [first, second]]) => first || second)),
    units: unitsOf(units),
    sketches: tallies === null ? null : encodeTallies(tallies),
    evidence: evidenceOf(evidence),
    ...summaryOf(tallies),
  };
}

function unitsOf(units: ReadonlyMap<string, readonly number[]>): RollupRow['units'] {
  const left = [...units].flatMap(([metric, counts]) => {
    // Sums of medians are fractions: without rounding one would never come back to 0.
    const rounded = metric.startsWith(MEDIANS)
      ? counts.map((count) => Math.round(count * 1e6) / 1e6)
      : counts;
    let length = rounded.length;
    while (length > 0 && rounded[length - 1] === 0) length -= 1;
    return length > 0 ? [[metric, rounded.slice(0, length)] as const] : [];
  });
  return left.length === 0 ? null : Object.fromEntries(left);
}

function evidenceOf(evidence: RollupSum['evidence']): RollupRow['evidence'] {
  const kept = [...evidence].flatMap(([id, known]) =>
    known === null ? [] : [[known[0], id, known[1]] as const],
  );
  if (kept.length === 0) return null;
  return kept.sort(byNewest).slice(0, EVIDENCE_OF_HOUR_MAX);
}

export function byNewest(
  [left, leftId]: readonly [number, string, ...unknown[]],
  [right, rightId]: readonly [number, string, ...unknown[]],
): number {
  return right - left || (leftId < rightId ? 1 : -1);
}

/** The columns of `rollups`, in the table's order. */
export const ROLLUP_COLUMNS: Columns<ReturnType<typeof rowOfSum>> = {
  span_ms: 'bigint',
  at_ms: 'bigint',
  arm: 'text',
  agent: 'text',
  target: 'text',
  tenant: 'text',
  category: 'text',
  calls: 'bigint',
  counts: 'jsonb',
  units: 'jsonb',
  sketches: 'text',
  evidence: 'jsonb',
  latency_p50_ms: 'float8',
  latency_p95_ms: 'float8',
  ttft_p50_ms: 'float8',
  tokens_mean: 'float8',
  cost_mean_usd: 'float8',
};

const AT = Object.fromEntries(QUANTITIES.map((name, at) => [name, at])) as Record<Quantity, number>;

function summaryOf(halves: Halves<Tallies> | null) {
  const both = (name: Quantity): Tally | null => {
    if (halves === null) return null;
    const [first, second] = halves.map((tallies) => tallies[AT[name]] ?? null);
    if (!first || !second) return first ?? second ?? null;
    const tally = createTally();
    mergeTally(tally, first);
    mergeTally(tally, second);
    return tally;
  };
  const mean = (tally: Tally | null) => (tally === null ? null : tally.sum / countOf(tally));
  const quantile = (tally: Tally | null, q: number) =>
    tally === null ? null : tallyQuantile(tally, q);
  const latency = both('latency_ms');
  const [tokensIn, tokensOut] = [mean(both('tokens_in')), mean(both('tokens_out'))];
  return {
    latency_p50_ms: quantile(latency, 0.5),
    latency_p95_ms: quantile(latency, 0.95),
    ttft_p50_ms: quantile(both('ttft_ms'), 0.5),
    tokens_mean: tokensIn === null ? tokensOut : tokensIn + (tokensOut ?? 0),
    cost_mean_usd: mean(both('cost_usd')),
  };
}
