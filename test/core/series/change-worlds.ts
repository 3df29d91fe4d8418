import { createRandom, type Random } from '../../../src/core/series/random.ts';
import { between, heavy, noise, poisson, whole } from './draws.ts';

/** A seeded series of which the changes are known. */
export interface ChangeWorld {
  readonly kind: string;
  readonly values: readonly number[];
  readonly changes: readonly number[];
}

type Make = (random: Random) => Omit<ChangeWorld, 'kind'>;

/** Up to `most` changes that leave each segment at least `least` rows. */
function places(random: Random, rows: number, most: number, least: number): number[] {
  const wanted = random.integer(most + 1);
  const found: number[] = [];
  for (let attempt = 0; attempt < 200 && found.length < wanted; attempt += 1) {
    const place = whole(random, least, rows - least);
    if (found.every((other) => Math.abs(other - place) >= least)) found.push(place);
  }
  return found.sort((left, right) => left - right);
}

function segmentOf(changes: readonly number[], row: number): number {
  return changes.filter((place) => place <= row).length;
}

/** Levels, each off the last by `least` to `most` in either direction. */
function levels(random: Random, count: number, least: number, most: number): number[] {
  const result = [0];
  for (let index = 0; index < count; index += 1) {
    const sign = random.next() < 0.5 ? -1 : 1;
    result.push((result.at(-1) as number) + sign * between(random, least, most));
  }
  return result;
}

function shifts(random: Random, phi: number, least: number, most: number) {
  const rows = whole(random, 100, 600);
  const changes = places(random, rows, 4, Math.max(15, Math.round(rows / 12)));
  const level = levels(random, changes.length, least, most);
  const drawn = noise(random, rows, phi);
  const values = drawn.map((one, row) => one + (level[segmentOf(changes, row)] as number));
  return { values, changes };
}

function bends(random: Random, rows: number, changes: number[], size: number): number[] {
  const slopes = levels(random, changes.length, 1.2, 3).map((one) => one / rows);
  let level = 0;
  return Array.from({ length: rows }, (_, row) => {
    level += slopes[segmentOf(changes, row)] as number;
    return level + size * random.normal();
  });
}

const MAKERS: Readonly<Record<string, Make>> = {
  nothing: (random) => ({ values: noise(random, whole(random, 30, 600)), changes: [] }),
  heavy: (random) => ({
    values: Array.from({ length: whole(random, 100, 600) }, () => heavy(random)),
    changes: [],
  }),
  shifts: (random) => shifts(random, 0, 1.5, 5),
  'shifts-outliers': (random) => {
    const { values, changes } = shifts(random, 0, 2, 6);
    const spoiled = [...values];
    for (let row = 0; row < values.length; row += 1) {
      if (random.next() > 0.02) continue;
      const size = (random.next() < 0.5 ? -1 : 1) * between(random, 5, 20);
      const lasts = whole(random, 1, 3);
      for (let more = 0; more < lasts; more += 1) {
        if (row + more < values.length)
          spoiled[row + more] = (spoiled[row + more] as number) + size;
      }
    }
    return { values: spoiled, changes };
  },
  'shifts-correlated': (random) => shifts(random, between(random, 0.3, 0.75), 3.5, 7),
  variances: (random) => {
    const rows = whole(random, 150, 600);
    const changes = places(random, rows, 3, 40);
    let scale = 1;
    const scales = [1, 2, 3, 4].map(() => {
      scale *= random.next() < 0.5 ? between(random, 3, 6) : 1 / between(random, 3, 6);
      return scale;
    });
    const values = noise(random, rows).map(
      (one, row) => one * (scales[segmentOf(changes, row)] as number),
    );
    return { values, changes };
  },
  bends: (random) => {
    const rows = whole(random, 50, 500);
    const changes = places(random, rows, 3, Math.max(12, Math.round(rows / 6)));
    return { values: bends(random, rows, changes, 0.04), changes };
  },
  'bends-few-rows': (random) => {
    const rows = whole(random, 25, 60);
    const changes = places(random, rows, 2, 10);
    return { values: bends(random, rows, changes, 0.03), changes };
  },
  growth: (random) => {
    const rows = whole(random, 50, 600);
    const rate = between(random, 0.5, 3);
    const size = between(random, 0.002, 0.05);
    const values = Array.from(
      { length: rows },
      (_, row) => Math.exp((rate * row) / rows) * (1 + size * random.normal()),
    );
    return { values, changes: [] };
  },
  'trend-shift': (random) => {
    const { values, changes } = shifts(random, 0.2, 4, 7);
    const slope = between(random, -8, 8) / values.length;
    return { values: values.map((one, row) => one + slope * row), changes };
  },
  seasonal: (random) => {
    const period = [4, 7, 12, 24][random.integer(4)] as number;
    const rows = period * whole(random, 12, 28);
    const changes = places(random, rows, 2, Math.round(rows / 6));
    const level = levels(random, changes.length, 3, 6);
    const pattern = noise(random, period).map((one) => 3 * one);
    const slope = between(random, 0, 6) / rows;
    const values = noise(random, rows, 0.2).map(
      (one, row) =>
        one +
        (pattern[row % period] as number) +
        (level[segmentOf(changes, row)] as number) +
        slope * row,
    );
    return { values, changes };
  },
  'seasonal-growth': (random) => {
    const rows = 12 * whole(random, 10, 30);
    const pattern = noise(random, 12).map((one) => 0.15 * one);
    const rate = between(random, 0.5, 1.5);
    const changes = places(random, rows, 1, Math.round(rows / 4));
    const drop = random.next() < 0.5 ? -0.3 : -0.5;
    const values = noise(random, rows, 0.3).map((one, row) => {
      const shift = changes.length > 0 && row >= (changes[0] as number) ? drop : 0;
      return Math.exp((rate * row) / rows + (pattern[row % 12] as number) + 0.04 * one + shift);
    });
    return { values, changes };
  },
  walk: (random) => {
    let level = 0;
    const values = Array.from({ length: whole(random, 100, 600) }, () => {
      level += random.normal();
      return level;
    });
    return { values, changes: [] };
  },
  'walk-jump': (random) => {
    const rows = whole(random, 150, 600);
    const changes = places(random, rows, 2, 30);
    let level = 0;
    const values = Array.from({ length: rows }, (_, row) => {
      const jump = changes.includes(row)
        ? (random.next() < 0.5 ? -1 : 1) * Math.sqrt(rows) * 1.5
        : 0;
      level += random.normal() + jump;
      return level;
    });
    return { values, changes };
  },
  short: (random) => {
    const rows = whole(random, 15, 30);
    const changes = places(random, rows, 1, 5);
    const level = levels(random, changes.length, 4, 8);
    const values = noise(random, rows).map(
      (one, row) => one + (level[segmentOf(changes, row)] as number),
    );
    return { values, changes };
  },
  counts: (random) => {
    const rows = whole(random, 100, 400);
    const changes = places(random, rows, 3, 25);
    let rate = between(random, 0.5, 8);
    const rates = [0, 1, 2, 3].map(() => {
      rate = rate < 2 ? rate * between(random, 3, 6) : rate / between(random, 2.5, 4);
      return rate;
    });
    const values = Array.from({ length: rows }, (_, row) =>
      poisson(random, rates[segmentOf(changes, row)] as number),
    );
    return { values, changes };
  },
  'on-off': (random) => {
    const changes: number[] = [];
    let end = whole(random, 20, 60);
    for (let pulse = whole(random, 2, 8); pulse > 0; pulse -= 1) {
      changes.push(end);
      end += whole(random, 15, 60);
    }
    const values = noise(random, end, 0.4).map(
      (one, row) => one + (segmentOf(changes, row) % 2) * 8,
    );
    return { values, changes };
  },
  'sparse-bursts': (random) => {
    const rows = whole(random, 150, 500);
    const values = Array.from({ length: rows }, () =>
      random.next() < 0.06 ? Math.ceil(20 * random.next()) : 0,
    );
    return { values, changes: [] };
  },
};

export const CHANGE_KINDS = Object.keys(MAKERS);

export function changeWorld(kind: string, seed: number): ChangeWorld {
  const make = MAKERS[kind] as Make;
  return { kind, ...make(createRandom(seed * 1009 + CHANGE_KINDS.indexOf(kind))) };
}

/** F1 with a margin, where the start counts as found (van den Burg and Williams 2020). */
export function changeF1(truth: readonly number[], found: readonly number[], margin = 5): number {
  const wanted = [0, ...truth];
  const given = [0, ...found];
  const left = new Set(wanted);
  let hits = 0;
  for (const place of given) {
    const match = [...left].find((other) => Math.abs(other - place) <= margin);
    if (match === undefined) continue;
    left.delete(match);
    hits += 1;
  }
  const precision = hits / given.length;
  const recall = hits / wanted.length;
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

/** Covering: each true segment's best Jaccard index, weighted by its rows. */
export function covering(truth: readonly number[], found: readonly number[], rows: number): number {
  const segments = (changes: readonly number[]): (readonly [number, number])[] =>
    [0, ...changes].map((from, index) => [from, changes[index] ?? rows] as const);
  const given = segments(found);
  const sum = segments(truth).reduce((total, [from, to]) => {
    const best = given.reduce((most, [start, end]) => {
      const shared = Math.max(0, Math.min(to, end) - Math.max(from, start));
      return Math.max(most, shared / (to - from + end - start - shared));
    }, 0);
    return total + (to - from) * best;
  }, 0);
  return sum / rows;
}
