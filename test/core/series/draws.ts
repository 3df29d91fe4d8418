import type { Random } from '../../../src/core/series/random.ts';

/** Draws that the worlds of series share. */

export const between = (random: Random, low: number, high: number): number =>
  low + (high - low) * random.next();
export const whole = (random: Random, low: number, high: number): number =>
  Math.round(low) + random.integer(Math.round(high) - Math.round(low) + 1);
export const signOf = (random: Random): number => (random.next() < 0.5 ? -1 : 1);
export const oneOf = <Value>(random: Random, values: readonly Value[]): Value =>
  values[random.integer(values.length)] as Value;

/** Student-t with three degrees of freedom. */
export function heavy(random: Random): number {
  const chi = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
  return random.normal() / Math.sqrt(chi / 3);
}

export function poisson(random: Random, rate: number): number {
  if (rate > 60) return Math.max(0, Math.round(rate + Math.sqrt(rate) * random.normal()));
  let count = 0;
  for (let left = Math.exp(-rate), p = random.next(); p > left; p *= random.next()) count += 1;
  return count;
}

/** Normal noise with unit variance that remembers `phi` of the row before. */
export function noise(random: Random, rows: number, phi = 0): number[] {
  let last = random.normal();
  return Array.from({ length: rows }, () => {
    last = phi * last + Math.sqrt(1 - phi * phi) * random.normal();
    return last;
  });
}

/** A day's shape over [0, 1): two humps of random place, width and height. */
export function dayShape(random: Random): (phase: number) => number {
  const humps = [1, 2].map(() => ({
    centre: random.next(),
    width: between(random, 0.08, 0.22),
    height: between(random, 0.4, 1),
  }));
  return (phase) =>
    humps.reduce((sum, { centre, width, height }) => {
      const gap = Math.abs((phase % 1) - centre);
      return sum + height * Math.exp(-((Math.min(gap, 1 - gap) / width) ** 2));
    }, 0);
}
