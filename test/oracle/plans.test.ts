import { describe, expect, test } from 'vitest';
import { versionOf } from '../../src/core/fold.ts';
import type { Plan } from '../../src/core/oracle.ts';
import { POLICY, withSafety } from './kit.ts';
import { codeOf, eachInWorld, HOUR_MS, ownPlan, unhappyTraffic, type World } from './world.ts';

let world: World;
eachInWorld((made) => {
  world = made;
});

describe('a person’s plan', () => {
  test('a person’s plan goes through the same gates and needs its approval', async () => {
    const plan = await ownPlan(world);
    const validation = await world.oracle.validate(plan);
    expect(validation.status).toBe('needs_approval');
    expect(validation.verdicts.find(({ gate }) => gate === 'confidence')?.verdict).toBe(
      'not_applicable',
    );
    expect(await codeOf(world.oracle.execute(plan, { dry_run: false }))).toBe('approval_required');
    await world.oracle.approve(plan.id, null, null);
    expect((await world.oracle.validate(plan)).status).toBe('passed');
    const execution = await world.oracle.execute(plan, { dry_run: false });
    expect(execution.mutations[0]).toMatchObject({ state: 'canary', share: 0.05 });
    const again = await world.oracle.execute(plan, { dry_run: false });
    expect(again.mutations).toEqual(execution.mutations);
    expect(await codeOf(world.oracle.validate(plan))).toBe('superseded');
    expect(world.state().rows).toHaveLength(1);
  });

  test('a plan out of bounds fails a gate and can be neither approved nor executed', async () => {
    const plan = await ownPlan(world, { agents: { solo: { adapter: 'evil' } } });
    const validation = await world.oracle.validate(plan);
    expect(validation.status).toBe('failed');
    expect(await codeOf(world.oracle.approve(plan.id, null, null))).toBe('not_validated');
    expect(await codeOf(world.oracle.execute(plan, { dry_run: false }))).toBe('not_validated');
    expect((await world.oracle.planById(plan.id)).state).toBe('failed');
  });

  test('a dry run says what it would do and writes nothing', async () => {
    const plan = await ownPlan(world);
    const blocked = await world.oracle.execute(plan, { dry_run: true });
    expect(blocked.mutations[0]).toMatchObject({ state: 'planned', share: 0 });
    expect(blocked.mutations[0]?.reason).toContain('approval');
    await world.oracle.approve(plan.id, null, null);
    const written = world.journal.length;
    const dry = await world.oracle.execute(plan, { dry_run: true });
    expect(dry).toMatchObject({ dry_run: true, effective: false });
    expect(dry.mutations[0]).toMatchObject({ state: 'canary', share: 0.05, rollback_key: null });
    expect(dry.mutations[0]?.version_before).toBe(versionOf(POLICY));
    expect(dry.mutations[0]?.version_after).not.toBe(versionOf(POLICY));
    expect(world.journal).toHaveLength(written);
    const real = await world.oracle.execute(plan, { dry_run: false });
    expect(real.mutations[0]?.version_after).toBe(dry.mutations[0]?.version_after);
  });

  test('an edited plan, an unknown plan and an edited value underneath are refused', async () => {
    const plan = await ownPlan(world);
    await world.oracle.approve(plan.id, null, null);
    const [mutation] = plan.mutations;
    const edited = { ...plan, mutations: [{ ...mutation, risk: 'low' }] };
    expect(await codeOf(world.oracle.execute(edited, { dry_run: false }))).toBe('edited');
    expect(await codeOf(world.oracle.validate('plan_x'))).toBe('not_found');
    const solo = { ...POLICY.agents.solo, adapter: 'reverse' } as (typeof POLICY.agents)['solo'];
    world.policy = { ...POLICY, agents: { ...POLICY.agents, solo } } as typeof POLICY;
    expect(await codeOf(world.oracle.execute(plan, { dry_run: false }))).toBe('superseded');
    expect((await world.oracle.planById(plan.id)).state).toBe('failed');
  });

  test('a rejected plan stays rejected and its patch counts as tried', async () => {
    await unhappyTraffic(world);
    await world.oracle.tick();
    const [plan] = await world.oracle.plans('needs_approval');
    const id = (plan as Plan).id;
    expect((await world.oracle.reject(id, 'ada', 'no')).state).toBe('rejected');
    expect((await world.oracle.reject(id, 'ada', 'no')).state).toBe('rejected');
    expect(await codeOf(world.oracle.approve(id, 'bob', null))).toBe('superseded');
    await world.oracle.tick();
    const [next] = await world.oracle.plans('needs_approval');
    expect(next?.mutations[0]?.patch).toEqual({ agents: { solo: { adapter: 'reverse' } } });
  });

  test('a plan expires after approval_hours of policy time', async () => {
    const plan = await ownPlan(world);
    world.now_ms += 24 * HOUR_MS;
    expect((await world.oracle.planById(plan.id)).state).toBe('expired');
    expect(await codeOf(world.oracle.approve(plan.id, null, null))).toBe('superseded');
  });

  test('share 1 applies at once, and a later row on the same knob goes with it', async () => {
    const safety = { canary: { share: 1 }, require_approval: { risk: 'none' as const } };
    world.policy = withSafety(safety);
    const version = versionOf(world.policy);
    const execute = async (adapter: string) => {
      const plan = await ownPlan(world, { agents: { solo: { adapter } } });
      return (await world.oracle.execute(plan, { dry_run: false })).mutations[0];
    };
    const first = await execute('upper');
    expect(first).toMatchObject({ state: 'applied', share: 1, version_before: version });
    const second = await execute('reverse');
    expect(second?.version_before).toBe(first?.version_after);
    const back = await world.oracle.rollback({
      rollback_key: first?.rollback_key as string,
      emergency: false,
    });
    expect(back.rolled_back).toEqual([first?.rollback_key, second?.rollback_key]);
    expect(back.version).toBe(version);
  });
});
