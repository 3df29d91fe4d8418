import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom, pickName, randomFromState } from '../../src/sim/random.ts';

test('streams of one seed and name are alike, and those of other names are not', () => {
  const draw = (seed: number, name: string) => {
    const random = createRandom(seed, name);
    return [random.uniform(), random.uniform()];
  };
  expect(draw(1, 'user:a:0')).toEqual(draw(1, 'user:a:0'));
  expect(draw(1, 'user:a:0')).not.toEqual(draw(1, 'user:a:1'));
  expect(draw(1, 'user:a:0')).not.toEqual(draw(2, 'user:a:0'));
});

test('a stream goes on from its state, and a clone or a fork does not move it', () => {
  const random = createRandom(7, 'x');
  random.uniform();
  const copy = randomFromState(random.state());
  const clone = random.clone();
  clone.uniform();
  const next = copy.uniform();
  expect(random.uniform()).toBe(next);
  expect(() => randomFromState('xyz')).toThrow(TypeError);
});

test('draws have the mean and the spread of their distributions', () => {
  const random = createRandom(3, 'moments');
  const draws = Array.from({ length: 20_000 }, () => ({
    normal: random.normal(),
    poisson: random.poisson(45),
    waiting: random.exponential(2),
  }));
  const mean = (of: (draw: (typeof draws)[number]) => number): number =>
    draws.reduce((sum, draw) => sum + of(draw), 0) / draws.length;
  expect(Math.abs(mean(({ normal }) => normal))).toBeLessThan(0.03);
  expect(Math.abs(mean(({ normal }) => normal ** 2) - 1)).toBeLessThan(0.05);
  expect(Math.abs(mean(({ poisson }) => poisson) - 45)).toBeLessThan(0.3);
  expect(Math.abs(mean(({ waiting }) => waiting) - 2)).toBeLessThan(0.1);
});

test('a name is picked among those of some weight', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999_999, noNaN: true }), (u) => {
      expect(['a', 'c']).toContain(pickName({ a: 1, b: 0, c: 3 }, u));
    }),
  );
  expect(() => pickName({}, 0.5)).toThrow(RangeError);
});
