import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { influenceOf, strangersOf, withoutPraise } from '../../../src/core/findings/influence.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import { binomialTail, type Count } from '../../../src/core/statistics/tails.ts';
import { cell, HOUR, hourly, NOW_MS, observed } from '../../oracle/observation.ts';

const BAR = { value: 0.15, p_week: (count: Count) => binomialTail(count, 0.15), q: 0.05 };

const rated = (
  events: number,
  units: number,
  by_tenant: [string, number, number][] = [],
  users = units,
) =>
  cell(null, 'dissatisfied', events, units, {
    users,
    by_tenant: by_tenant.map(([tenant, of, all]) => ({ tenant, events: of, units: all })),
  });

describe('influenceOf', () => {
  test('influenceOf takes away the raters whose word weighs most', () => {
    const firm = influenceOf(rated(60, 200), BAR, 0.05);
    expect(firm.trimmed).toEqual({ removed: 20, rate: 40 / 180, holds: true, strangers: 0 });
    const thin = influenceOf(rated(42, 200), BAR, 0.05);
    expect(thin.trimmed.holds).toBe(false);
  });

  test('influenceOf takes away no fewer than the raters that nobody knows', () => {
    expect(influenceOf(rated(90, 300), BAR, 0.05).trimmed.removed).toBe(30);
    expect(influenceOf(rated(90, 300), BAR, 0.05, 70).trimmed).toMatchObject({
      removed: 70,
      strangers: 70,
      holds: false,
    });
  });

  test('influenceOf leaves nothing standing that its raters of ill will have made', () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 800 }), fc.nat(1000), (honest, per_mille) => {
        const unhappy = Math.floor((honest * per_mille) / 1000);
        // They are a tenth of all who rated.
        const bad = Math.floor(honest / 9);
        const found = influenceOf(rated(unhappy + bad, honest + bad), BAR, 0.05);
        const alone = influenceOf(rated(unhappy, honest), BAR, 0).trimmed;
        expect(found.trimmed.rate).toBeLessThanOrEqual(unhappy / honest);
        if (!alone.holds) expect(found.trimmed.holds).toBe(false);
      }),
    );
  });

  test('influenceOf says that a share of a tenant’s own making rests on that tenant', () => {
    const flooded = rated(9010, 9200, [
      ['evil', 9000, 9000],
      ['good', 5, 100],
      ['other', 5, 100],
    ]);
    expect(influenceOf(flooded, BAR, 0.05).without_tenant).toEqual({
      tenant: 'evil',
      raters: 9000,
      rate: 0.05,
      holds: false,
    });
    expect(influenceOf(rated(60, 100, [['only', 60, 100]]), BAR, 0.05).without_tenant).toBeNull();
  });

  test('influenceOf leaves out each tenant in turn, and names the one that matters most', () => {
    const wide = rated(90, 300, [
      ['a', 40, 120],
      ['b', 30, 100],
      ['c', 20, 80],
    ]);
    expect(influenceOf(wide, BAR, 0.05).without_tenant).toMatchObject({
      tenant: 'a',
      holds: true,
    });
  });
});

describe('strangersOf', () => {
  const raters = (at: (hour: number) => number) => {
    const series = hourly('dissatisfied', () => 0.08, { count: 10 });
    return { ...series, counts: series.counts.map((_, hour) => at(hour)) };
  };
  const seen = (at: (hour: number) => number, window = 24) => {
    const rater = rated(90, 300);
    const change = {
      series: [raters(at)],
      window: { from_ms: NOW_MS - window * HOUR, to_ms: NOW_MS },
    };
    return strangersOf(sceneOf(observed([rater], [], change)), rater);
  };

  test('strangersOf are the raters beyond those that usually rate at these hours', () => {
    expect(seen(() => 10)).toBe(0);
    // 240 a day are usual, up to 406 are nothing to wonder at; 1,000 came, and 300 are units.
    const crowd = seen((hour) => (hour >= 168 ? 1000 / 24 : 10));
    expect(crowd).toBeCloseTo(300 * (1 - (360 + 3 * Math.sqrt(240)) / 1000), 6);
    // Of a window of the last four hours only these hours count.
    expect(seen((hour) => (hour % 24 >= 20 ? 100 : 1), 4)).toBe(0);
  });

  test('strangersOf are none of an agent without days to compare', () => {
    expect(seen((hour) => (hour >= 168 ? 100 : 0))).toBe(0);
    const rater = rated(90, 300);
    expect(strangersOf(sceneOf(observed([rater])), rater)).toBe(0);
  });
});

test('withoutPraise takes content raters out of the past, and never an unhappy one', () => {
  expect(withoutPraise({ units: 1000, events: 90 }, 0.05)).toEqual({ units: 950, events: 90 });
  expect(withoutPraise({ units: 10, events: 10 }, 0.5)).toEqual({ units: 10, events: 10 });
});
