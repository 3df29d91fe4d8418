import { hash53 } from '../ope/hash.ts';

/** Draws that a seed decides; never for secrets. */
export interface Random {
  /** In [0, 1), 53 bits. */
  uniform(): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** Scale 1. Throws a RangeError unless shape > 0. */
  gamma(shape: number): number;
  /** Throws a RangeError unless both are > 0. */
  beta(alpha: number, beta: number): number;
}

/** The generator is sfc32 (Doty-Humphrey, PractRand), seeded by a hash of the seed's text. */
export function createRandom(seed: number | string): Random {
  const bits = bitsOf(String(seed));
  const uniform = (): number =>
    (bits() >>> 5) / 134_217_728 + (bits() >>> 6) / 9_007_199_254_740_992;
  const normal = normals(uniform);
  const gamma = (shape: number): number => {
    if (!(shape > 0)) throw new RangeError(`a gamma's shape is above 0, not ${shape}`);
    if (shape >= 1) return gammaFrom1(shape, uniform, normal);
    return gammaFrom1(shape + 1, uniform, normal) * (1 - uniform()) ** (1 / shape);
  };
  return {
    uniform,
    normal,
    gamma,
    beta(alpha, beta) {
      const left = gamma(alpha);
      const right = gamma(beta);
      return left + right > 0 ? left / (left + right) : 0.5;
    },
  };
}

function bitsOf(seed: string): () => number {
  let a = hash53(seed, 1) | 0;
  let b = hash53(seed, 2) | 0;
  let c = hash53(seed, 3) | 0;
  let counter = 1;
  const next = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let round = 0; round < 12; round += 1) next();
  return next;
}

/** Marsaglia's polar method: two at a time. */
function normals(uniform: () => number): () => number {
  let spare = Number.NaN;
  return () => {
    if (!Number.isNaN(spare)) {
      const held = spare;
      spare = Number.NaN;
      return held;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * scale;
      return x * scale;
    }
  };
}

/** Marsaglia and Tsang (2000), for shapes from 1. */
function gammaFrom1(shape: number, uniform: () => number, normal: () => number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
