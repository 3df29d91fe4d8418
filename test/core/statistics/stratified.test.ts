import { expect, test } from 'vitest';
import { stratifiedDifference } from '../../../src/core/statistics/stratified.ts';

test('stratifiedDifference turns the sign of the kidney stones (Charig 1986)', () => {
  // Failures of open surgery (here) and of a puncture (there), small stones and large ones.
  const strata = [
    { name: 'small', here: { units: 87, events: 6 }, there: { units: 270, events: 36 } },
    { name: 'large', here: { units: 263, events: 71 }, there: { units: 80, events: 25 } },
  ];
  const crude = 77 / 350 - 61 / 350;
  const found = stratifiedDifference(strata);
  expect(crude).toBeGreaterThan(0);
  expect(found?.difference).toBeLessThan(0);
  expect(found?.difference).toBeCloseTo(-0.0538, 4);
  expect(found).toMatchObject({ strata: 2, units: 350 });
});

test('stratifiedDifference is the plain difference of one stratum, null without both sides', () => {
  const here = { units: 100, events: 20 };
  const one = stratifiedDifference([{ name: 'a', here, there: { units: 100, events: 10 } }]);
  expect(one?.difference).toBeCloseTo(0.1, 12);
  expect(stratifiedDifference([{ name: 'a', here, there: { units: 0, events: 0 } }])).toBeNull();
});
