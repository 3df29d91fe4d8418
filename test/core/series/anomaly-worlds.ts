import { createRandom, type Random } from '../../../src/core/series/random.ts';
import { between, noise as correlated, heavy, signOf } from './draws.ts';

/** A seeded series in which something odd happens at known rows, or nothing does. */
export interface AnomalyWorld {
  readonly base: string;
  readonly oddity: string;
  readonly values: readonly number[];
  /** `[first row, last row]` of what is odd. */
  readonly windows: readonly (readonly [number, number])[];
}

type Base = (random: Random, rows: number) => { readonly values: number[]; readonly scale: number };

/** Exact at any rate: `draws.ts` takes a normal number for it above 60, which is another world. */
function poisson(random: Random, rate: number): number {
  let count = 0;
  for (let left = Math.exp(-rate), p = random.next(); p > left; p *= random.next()) count += 1;
  return count;
}

/** A day's shape: two humps of random height and place. */
function dayShape(random: Random): (phase: number) => number {
  const humps = [1, 2].map(() => [random.next(), between(random, 0.5, 1)] as const);
  return (phase) =>
    humps.reduce((sum, [centre, height]) => {
      const gap = Math.abs(phase - centre);
      return sum + height * Math.exp(-((Math.min(gap, 1 - gap) / 0.15) ** 2));
    }, 0);
}

const BASES: Readonly<Record<string, Base>> = {
  white: (random, rows) => ({ values: correlated(random, rows, 0), scale: 1 }),
  correlated: (random, rows) => ({
    values: correlated(random, rows, between(random, 0.5, 0.95)),
    scale: 1,
  }),
  heavy: (random, rows) => ({
    values: Array.from({ length: rows }, () => heavy(random)),
    scale: 1.5,
  }),
  cpu: (random, rows) => {
    // A level with small noise and short spikes that belong to it.
    const size = between(random, 0.02, 0.1);
    const values = Array.from({ length: rows }, () => {
      const spike = random.next() < 0.02 ? 0.5 * random.next() : 0;
      return Math.max(0, 1 + size * random.normal() + spike);
    });
    return { values, scale: 0.25 };
  },
  daily: (random, rows) => {
    const period = [24, 48, 96, 144, 288][random.integer(5)] as number;
    const shape = dayShape(random);
    const noise = correlated(random, rows, between(random, 0, 0.6));
    const size = between(random, 0.03, 0.12);
    return {
      values: noise.map((one, row) => 1 + shape((row % period) / period) + size * one),
      scale: 2.5 * size,
    };
  },
  weekly: (random, rows) => {
    const shape = dayShape(random);
    const noise = correlated(random, rows, 0.3);
    return {
      values: noise.map((one, row) => {
        const weekend = Math.floor(row / 24) % 7 >= 5 ? 0.5 : 1;
        return 10 + weekend * 8 * shape((row % 24) / 24) + 0.4 * one;
      }),
      scale: 1.2,
    };
  },
  traffic: (random, rows) => {
    // Counts whose noise grows with the day's level.
    const period = [24, 96, 288][random.integer(3)] as number;
    const shape = dayShape(random);
    const level = between(random, 5, 40);
    return {
      values: Array.from({ length: rows }, (_, row) =>
        poisson(random, level * (0.2 + shape((row % period) / period))),
      ),
      scale: Math.sqrt(level) * 1.6,
    };
  },
  volumes: (random, rows) => {
    // Mentions of a word: low counts, bursts that decay, some of them large.
    let burst = 0;
    const values = Array.from({ length: rows }, (_, row) => {
      burst = 0.7 * burst + (random.next() < 0.01 ? 8 * random.next() ** 2 : 0);
      return poisson(random, 4 + 3 * Math.sin((2 * Math.PI * row) / 288) + burst);
    });
    return { values, scale: 6 };
  },
  sparse: (random, rows) => ({
    values: Array.from({ length: rows }, () => (random.next() < 0.05 ? random.integer(5) + 1 : 0)),
    scale: 3,
  }),
  walk: (random, rows) => {
    let level = 0;
    const values = Array.from({ length: rows }, () => {
      level = 0.998 * level + random.normal();
      return level;
    });
    return { values, scale: 2.5 };
  },
  trend: (random, rows) => {
    const slope = between(random, -8, 8) / rows;
    return { values: correlated(random, rows, 0.3).map((one, row) => one + slope * row), scale: 1 };
  },
};

type Oddity = (
  random: Random,
  values: number[],
  scale: number,
  at: number,
) => readonly [number, number];

function change(
  values: number[],
  from: number,
  to: number,
  make: (value: number, row: number) => number,
) {
  for (let row = from; row <= to && row < values.length; row += 1) {
    values[row] = make(values[row] as number, row - from);
  }
  return [from, Math.min(to, values.length - 1)] as const;
}

const ODDITIES: Readonly<Record<string, Oddity>> = {
  spike: (random, values, scale, at) => {
    const size = signOf(random) * between(random, 6, 14) * scale;
    return change(values, at, at + random.integer(3), (value) => value + size);
  },
  shift: (random, values, scale, at) => {
    const size = signOf(random) * between(random, 4, 8) * scale;
    return change(values, at, at + 60 + random.integer(300), (value) => value + size);
  },
  'slow-rise': (random, values, scale, at) => {
    const size = between(random, 5, 8) * scale;
    const rows = 60 + random.integer(100);
    return change(
      values,
      at,
      at + rows,
      (value, row) => value + (size * Math.min(row, rows / 2)) / (rows / 2),
    );
  },
  louder: (random, values, scale, at) =>
    change(
      values,
      at,
      at + 80 + random.integer(80),
      (value) => value + 4 * scale * random.normal(),
    ),
  flat: (random, values, _scale, at) => {
    const held = values[at] as number;
    return change(values, at, at + 60 + random.integer(80), () => held);
  },
};

export const BASE_KINDS = Object.keys(BASES);
export const ODDITY_KINDS = ['none', ...Object.keys(ODDITIES)];

export function anomalyWorld(base: string, oddity: string, seed: number): AnomalyWorld {
  const random = createRandom(
    seed * 7919 + BASE_KINDS.indexOf(base) * 101 + ODDITY_KINDS.indexOf(oddity),
  );
  const rows = 1500 + random.integer(2500);
  const { values, scale } = (BASES[base] as Base)(random, rows);
  const make = ODDITIES[oddity];
  if (!make) return { base, oddity, values, windows: [] };
  const windows = [0.3, 0.65].map((start) => {
    const place = Math.floor(rows * (start + 0.2 * random.next()));
    return make(random, values, scale, place);
  });
  return { base, oddity, values, windows };
}
