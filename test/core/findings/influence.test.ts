import { describe, expect, test } from 'vitest';
import { influenceOf } from '../../../src/core/findings/influence.ts';
import { binomialTail, type Count } from '../../../src/core/statistics/tails.ts';
import { cell } from '../../oracle/observation.ts';

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
    expect(firm.trimmed).toEqual({ removed: 10, rate: 50 / 190, holds: true });
    const thin = influenceOf(rated(42, 200), BAR, 0.05);
    expect(thin.trimmed.holds).toBe(false);
  });

  test('influenceOf counts sybils among the users, who rate less often than they do', () => {
    // 5 % of 1,000 users are 50; no more than a tenth of the raters is ever taken away.
    expect(influenceOf(rated(90, 300, [], 1000), BAR, 0.05).trimmed.removed).toBe(30);
    expect(influenceOf(rated(90, 300, [], 400), BAR, 0.05).trimmed.removed).toBe(20);
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
