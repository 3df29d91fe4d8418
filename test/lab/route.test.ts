import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { route } from '../../src/lab/route.ts';
import { type GradedLine, gradedWorld, yardsticks } from './graded-kit.ts';
import { jsonLines, runOn } from './lab-kit.ts';

interface Line {
  readonly id: string;
  readonly model: string;
  readonly propensity: number;
}

const world = gradedWorld({
  seed: 'route',
  rows: 1500,
  models: 5,
  tasks: 4,
  interaction: 1.5,
  spread: 0.5,
  dearest: 0.02,
  order: 'shuffled',
});
const policyOf = (strategy: unknown = 'auto', more: object = {}): string =>
  JSON.stringify({ route: { objective: { quality: 1, cost_weight: 5 }, strategy, ...more } });

async function routed(
  rows: readonly unknown[],
  policy = policyOf(),
  flags: Readonly<Record<string, string>> = {},
) {
  const files = { l: jsonLines(rows), p: policy };
  const { out, err, code } = await runOn(route, { log: 'l', policy: 'p', ...flags }, files);
  expect(code).toBe(0);
  return { err, lines: out.map((line) => JSON.parse(line) as Line) };
}

const utilityOf = (rows: readonly GradedLine[], lines: readonly Line[]): number => {
  const { utility } = yardsticks(rows, 5);
  return rows.reduce((sum, row, at) => sum + utility(row, (lines[at] as Line).model), 0);
};

describe('hive lab route', () => {
  test('route answers each row with a model of it and its probability', async () => {
    const { lines, err } = await routed(world);
    expect(err).toEqual([]);
    expect(lines.map(({ id }) => id)).toEqual(world.map(({ id }) => id));
    for (const { model, propensity } of lines) {
      expect(model).toMatch(/^m[0-4]$/);
      expect(propensity).toBeGreaterThan(0);
      expect(propensity).toBeLessThanOrEqual(1 + 1e-12);
    }
    // 1 / propensity is 1 on average for each model, if propensities are what they say.
    const weight = lines.reduce((sum, { propensity }) => sum + 1 / propensity, 0) / lines.length;
    expect(weight).toBeGreaterThan(1);
  });

  test('route’s propensities are true: rows weighted by them estimate uniform choice', async () => {
    const floor = { use: 'auto', floor: 0.05 };
    const { lines } = await routed(world, policyOf(floor));
    const { uniform, utility } = yardsticks(world, 5);
    const estimate = world.reduce((sum, row, at) => {
      const { model, propensity } = lines[at] as Line;
      expect(propensity).toBeGreaterThanOrEqual(0.05 - 1e-9);
      return sum + utility(row, model) / (5 * propensity);
    }, 0);
    expect(Math.abs(estimate - uniform) / world.length).toBeLessThan(0.06);
  });

  test('route chooses by the past alone, and by what was revealed of it', async () => {
    const { lines } = await routed(world);
    const half = world.slice(0, 700);
    expect((await routed(half)).lines).toEqual(lines.slice(0, 700));
    const hidden = half.map((row, at) => ({
      ...row,
      models: Object.fromEntries(
        Object.entries(row.models).map(([name, graded]) =>
          name === lines[at]?.model ? [name, graded] : [name, { quality: 0.5, cost: 99 }],
        ),
      ),
    }));
    expect((await routed(hidden)).lines).toEqual(lines.slice(0, 700));
  });

  test('route gives equal answers to equal seeds, and others to others', async () => {
    const rows = world.slice(0, 200);
    expect((await routed(rows)).lines).toEqual((await routed(rows)).lines);
    expect((await routed(rows, policyOf(), { seed: '7' })).lines).not.toEqual(
      (await routed(rows)).lines,
    );
  });

  test('route of every strategy earns more than uniform choice where models differ', async () => {
    const { uniform, best } = yardsticks(world, 5);
    for (const strategy of [
      'auto',
      'thompson',
      'top-two',
      'kinds',
      'lints',
      'linucb',
      'squarecb',
    ]) {
      const { lines } = await routed(world, policyOf(strategy));
      const earned = utilityOf(world, lines);
      expect(earned - uniform, strategy).toBeGreaterThan(0.3 * (best - uniform));
    }
  });

  test('route leaves a model alone whose price no quality is worth, after one look', async () => {
    const rows = world.slice(0, 400).map((row) => ({
      ...row,
      models: { ...row.models, m0: { quality: 1, cost: 3 } },
    }));
    const { lines } = await routed(rows);
    expect(lines.filter(({ model }) => model === 'm0').length).toBeLessThanOrEqual(2);
  });

  test('route obeys the list of models, rows that lack some, and fixed and uniform', async () => {
    const [first, second] = world as [GradedLine, GradedLine];
    const only = { models: { m1: { quality: null }, m3: second.models.m3 } };
    const { lines, err } = await routed(
      [first, { ...second, ...only }, { ...second, models: { z: { quality: 1 } } }],
      policyOf('auto', { models: ['m1', 'm3'] }),
    );
    expect(lines.map(({ model }) => ['m1', 'm3'].includes(model))).toEqual([true, true]);
    expect(lines[1]).toEqual({ id: 'r1', model: 'm3', propensity: 1 });
    expect(err).toEqual(['l:3: it has none of the models; the row is left out']);
    const fixed = await routed([first], policyOf({ use: 'fixed', model: 'm2' }));
    expect(fixed.lines).toEqual([{ id: 'r0', model: 'm2', propensity: 1 }]);
    expect((await routed([first], policyOf('uniform'))).lines[0]?.propensity).toBe(0.2);
  });

  test('route names what is wrong with a policy', async () => {
    const of = (policy: string) => runOn(route, { log: 'l', policy: 'p' }, { l: '', p: policy });
    await expect(of('{')).rejects.toThrow(/the policy/);
    await expect(of('route: { strategy: best }')).rejects.toThrow(/none of fixed, uniform, auto/);
    await expect(of('route: { modles: [a] }')).rejects.toThrow(/no key modles/);
    await expect(of('route: { models: [a, a] }')).rejects.toThrow(/twice/);
    await expect(of('route: { objective: { cost_weight: -1 } }')).rejects.toThrow(/cost_weight/);
  });

  test('route never throws on what is no row, and says which', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 }), async (rows) => {
        const { lines, err } = await routed(rows);
        expect(lines).toEqual([]);
        expect(err.length).toBe(Math.min(rows.length, 6));
      }),
      { numRuns: 30 },
    );
  });
});
