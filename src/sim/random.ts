import { hash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * A stream of chance that belongs to one entity of a world: a user, say. Streams are named, so that
 * adding an entity moves no draw of another. xoroshiro128+ (Blackman and Vigna, 2018).
 */
export interface Random {
  /** 0 ≤ x < 1, of 32 bits. */
  uniform(): number;
  /** Standard normal (Box and Muller): always two draws. */
  normal(): number;
  exponential(mean: number): number;
  poisson(mean: number): number;
  /** A stream of its own, of four draws: what it is used for does not move this one. */
  fork(): Random;
  /** Another that begins where this one is. */
  clone(): Random;
  /** 32 hex digits; `randomFromState` goes on from there, in another process too. */
  state(): string;
}

const TWO_32 = 2 ** 32;
/** Above this e^−mean is no longer exact enough for products of uniforms. */
const POISSON_STEP = 30;

export function createRandom(seed: number, name: string): Random {
  const digest = hash('sha256', `${seed}\0${name}`, 'buffer');
  return randomOf([0, 4, 8, 12].map((offset) => digest.readInt32BE(offset)));
}

/** Throws on anything but 32 hex digits. */
export function randomFromState(state: string): Random {
  if (!/^[0-9a-f]{32}$/.test(state)) throw new TypeError(`not the state of a stream: ${state}`);
  return randomOf([0, 8, 16, 24].map((at) => Number.parseInt(state.slice(at, at + 8), 16) | 0));
}

function randomOf(words: readonly number[]): Random {
  return new Stream(xoroshiro128plusFromState(words));
}

/** A class, so that a stream is one small object: a run makes hundreds of thousands. */
class Stream implements Random {
  readonly #generator: RandomGenerator;

  constructor(generator: RandomGenerator) {
    this.#generator = generator;
  }

  uniform(): number {
    return (this.#generator.next() >>> 0) / TWO_32;
  }

  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  poisson(mean: number): number {
    let count = 0;
    for (let left = mean; left > 0; left -= POISSON_STEP) {
      const limit = Math.exp(-Math.min(left, POISSON_STEP));
      for (let product = this.uniform(); product > limit; product *= this.uniform()) count += 1;
    }
    return count;
  }

  fork(): Random {
    const generator = this.#generator;
    return randomOf([generator.next(), generator.next(), generator.next(), generator.next()]);
  }

  clone(): Random {
    return new Stream(this.#generator.clone());
  }

  state(): string {
    return this.#generator
      .getState()
      .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
      .join('');
  }
}

/** The name at `u` (0 ≤ u < 1) of weights that need not add up to 1. Throws where there is none. */
export function pickName(weights: Readonly<Record<string, number>>, u: number): string {
  let [total, last]: [number, string | null] = [0, null];
  for (const name in weights) total += weights[name] ?? 0;
  let left = u * total;
  for (const name in weights) {
    left -= weights[name] ?? 0;
    if (left < 0) return name;
    last = name;
  }
  if (last === null) throw new RangeError('there is nothing to pick from');
  return last;
}
