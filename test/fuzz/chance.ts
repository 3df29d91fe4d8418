/** Everything that a fuzzed case is made of comes from one seed, so that a failure runs again. */
export interface Chance {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  int(below: number): number;
  /** True with this probability. */
  maybe(probability: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  /** Any bytes. */
  bytes(length: number): Buffer;
  /** Text of characters that break things. */
  text(length_max: number): string;
}

/** mulberry32: small, fast, and the same everywhere. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const int = (below: number): number => Math.floor(next() * below);
  const pick = <Value>(values: readonly Value[]): Value => values[int(values.length)] as Value;
  return {
    next,
    int,
    maybe: (probability) => next() < probability,
    pick,
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(256))),
    text: (length_max) => Array.from({ length: int(length_max + 1) }, () => pick(SIGNS)).join(''),
  };
}

/** The seed of the n-th case: each runs again alone. */
export function seedOf(seed: number, index: number): number {
  return (Math.imul(seed, 2654435761) + Math.imul(index + 1, 40503)) >>> 0;
}

const SIGNS = [
  'a',
  'Z',
  '0',
  ' ',
  '.',
  '/',
  '-',
  '_',
  ':',
  ';',
  ',',
  '=',
  '?',
  '&',
  '%',
  '"',
  "'",
  '\\',
  '{',
  '}',
  '[',
  ']',
  '<',
  '>',
  '\t',
  '\u00e9',
  '\u2028',
  '\u{1f41d}',
  '\ud800',
  '\0',
  '\x7f',
  '__proto__',
  'null',
  'data:',
  '\r',
  '\n',
  '%00',
  '%2e',
  '..',
  '1e999',
  '\ufeff',
];
