import { describe, expect, test } from 'vitest';
import type { Analysis } from '../../src/core/oracle.ts';
import { codeOf, eachInWorld, unhappyTraffic, type World } from './world.ts';

let world: World;
eachInWorld((made) => {
  world = made;
});

describe('analyze and plan', () => {
  test('plan takes an analysis, its findings or their ids, and refuses an edited one', async () => {
    await unhappyTraffic(world);
    const analysis = await world.oracle.analyze({ time_window_hours: 24, event_limit: 1000 });
    expect(analysis.findings).toHaveLength(1);
    const plan = await world.oracle.plan({ findings: JSON.parse(JSON.stringify(analysis)) });
    expect(plan.mutations).toHaveLength(1);
    const same = await world.oracle.plan({ findings: analysis.findings });
    expect(same.id).toBe(plan.id);
    const byId = await world.oracle.plan({ findings: analysis.findings.map(({ id }) => id) });
    expect(byId.id).toBe(plan.id);
    const edited: Analysis = { ...analysis, findings: [] };
    expect(await codeOf(world.oracle.plan({ findings: edited }))).toBe('edited');
    expect(await codeOf(world.oracle.plan({ findings: ['finding_x'] }))).toBe('not_found');
    expect(await codeOf(world.oracle.plan({ findings: 7 }))).toBe('bad_request');
  });

  test('an analysis of nothing leads to an empty plan that executes to nothing', async () => {
    const analysis = await world.oracle.analyze({});
    const plan = await world.oracle.plan({ findings: analysis });
    expect(plan.mutations).toEqual([]);
    const validation = await world.oracle.validate(plan);
    expect(validation).toMatchObject({ status: 'passed', overall_passed: true, verdicts: [] });
    const execution = await world.oracle.execute(plan, { dry_run: false });
    expect(execution).toMatchObject({ effective: true, mutations: [] });
  });

  test('an empty list of findings or mutations is refused, and no plan is stored', async () => {
    expect(await codeOf(world.oracle.plan({ findings: [] }))).toBe('bad_request');
    expect(await codeOf(world.oracle.plan({ mutations: [] }))).toBe('bad_request');
    expect(await world.oracle.plans(null)).toEqual([]);
  });

  test('analyze refuses a window or a limit out of range by name', async () => {
    expect(await codeOf(world.oracle.analyze({ time_window_hours: -1 }))).toBe('bad_request');
    expect(await codeOf(world.oracle.analyze({ event_limit: 1.5 }))).toBe('bad_request');
  });
});
