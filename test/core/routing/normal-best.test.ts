import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalBestProbabilities, normalCdf } from '../../../src/core/routing/normal-best.ts';
import { createRandom } from '../../../src/core/routing/random.ts';

const best = (arms: readonly (readonly [number, number])[]): number[] =>
  Array.from(
    normalBestProbabilities(
      Float64Array.from(arms, ([mean]) => mean),
      Float64Array.from(arms, ([, deviation]) => deviation),
      new Float64Array(arms.length),
    ),
  );
const armArb = fc.tuple(
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: 0.001, max: 0.4, noNaN: true }),
);

describe('normal best', () => {
  test('normal best agrees with a hundred thousand draws', () => {
    const arms = [
      [0.6, 0.05],
      [0.55, 0.1],
      [0.4, 0.3],
      [0.62, 0.001],
    ] as const;
    const random = createRandom(1);
    const wins = [0, 0, 0, 0];
    for (let draw = 0; draw < 100_000; draw += 1) {
      const drawn = arms.map(([mean, deviation]) => mean + deviation * random.normal());
      const winner = drawn.indexOf(Math.max(...drawn));
      wins[winner] = (wins[winner] as number) + 1e-5;
    }
    for (const [index, p] of best(arms).entries()) {
      expect(Math.abs(p - (wins[index] as number))).toBeLessThan(0.03);
    }
  });

  test('normal best adds up to 1 and does not depend on the order of the arms', () => {
    fc.assert(
      fc.property(fc.array(armArb, { minLength: 1, maxLength: 10 }), (arms) => {
        const straight = best(arms);
        expect(straight.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
        const turned = best([...arms].reverse()).reverse();
        for (const [index, p] of straight.entries()) expect(turned[index]).toBeCloseTo(p, 9);
      }),
    );
  });

  test('normal best is sure where nothing is in doubt', () => {
    expect(
      best([
        [0.5, 0],
        [0.4, 0],
      ]),
    ).toEqual([1, 0]);
    expect(best([[0.3, 0.1]])).toEqual([1]);
  });

  test('the normal distribution is right to seven digits', () => {
    expect(normalCdf(1.959963985)).toBeCloseTo(0.975, 6);
    expect(normalCdf(-1)).toBeCloseTo(0.158655254, 6);
  });
});
