import type { Random } from '../../../src/core/series/random.ts';
import { whole } from './draws.ts';

/** A long series as monitoring makes them, and where it is odd: `[first row, last row]`. */
export interface StreamWorld {
  readonly kind: string;
  readonly values: readonly number[];
  readonly odd: readonly (readonly [number, number])[];
  readonly step_minutes: number;
  /** Minutes since the first row, where rows are not evenly spaced. */
  readonly minutes?: readonly number[];
}

export type Draft = Omit<StreamWorld, 'kind' | 'step_minutes'>;
export type Make = (random: Random) => Draft;
/** First and last row that it changed. */
type Spoil = (values: number[], from: number) => readonly [number, number];

/** Puts oddities at random places of the latter two thirds, far enough apart; returns them. */
export function spoil(
  random: Random,
  values: number[],
  make: Spoil,
  most = 2,
): readonly (readonly [number, number])[] {
  const count = whole(random, 1, most);
  const first = 0.25;
  return Array.from({ length: count }, (_, index) => {
    const slot = (1 - first - 0.08) / count;
    const place = first + slot * index + slot * 0.7 * random.next();
    const from = Math.floor(place * values.length);
    return make(values, from);
  });
}

export function over(
  values: number[],
  from: number,
  rows: number,
  make: (value: number, row: number) => number,
): readonly [number, number] {
  const to = Math.min(values.length, from + Math.max(1, Math.round(rows)));
  for (let row = from; row < to; row += 1) values[row] = make(values[row] as number, row - from);
  return [from, Math.max(from, to - 1)];
}

export const bounded = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value));
export const two = (value: number): number => Math.round(value * 100) / 100;
