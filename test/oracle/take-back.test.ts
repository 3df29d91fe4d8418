import { describe, expect, test } from 'vitest';
import { versionOf } from '../../src/core/fold.ts';
import { withSafety, withSwitches } from './kit.ts';
import { codeOf, eachInWorld, ownPlan, type World } from './world.ts';

let world: World;
eachInWorld((made) => {
  world = made;
});

describe('rollback', () => {
  test('rollback of an unknown key is not found, nor written if it is nonsense', async () => {
    const ask = (rollback_key: string) => world.oracle.rollback({ rollback_key, emergency: true });
    expect(await codeOf(ask('rollback_12345'))).toBe('not_found');
    expect(world.control).toEqual([]);
    expect(await codeOf(ask('rollback_00000000-0000-7000-8000-000000000000'))).toBe('not_found');
  });

  test('an emergency writes control.json first and answers without the journal', async () => {
    world.policy = withSafety({ canary: { share: 1 }, require_approval: { risk: 'none' } });
    const plan = await ownPlan(world);
    const { mutations } = await world.oracle.execute(plan, { dry_run: false });
    const rollback_key = mutations[0]?.rollback_key as string;
    world.refuse = true;
    const back = await world.oracle.rollback({ rollback_key, emergency: true });
    expect(world.control).toEqual([rollback_key]);
    expect(back).toEqual({
      rolled_back: [rollback_key],
      version: versionOf(world.policy),
      effective: false,
      already: false,
    });
    world.refuse = false;
    await world.oracle.reconcileControl({ frozen: false, withdrawn: [...world.control, 'odd'] });
    expect(world.state().rows).toEqual([]);
  });

  test('execute answers effective: false where the gateway does not say so', async () => {
    world.policy = withSafety({ canary: { share: 1 }, require_approval: { risk: 'none' } });
    world.answers = false;
    const plan = await ownPlan(world);
    const execution = await world.oracle.execute(plan, { dry_run: false });
    expect(execution.effective).toBe(false);
  });

  test('rollback works with the oracle switched off; ticks and plans do not', async () => {
    world.policy = withSafety({ canary: { share: 1 }, require_approval: { risk: 'none' } });
    const plan = await ownPlan(world);
    const { mutations } = await world.oracle.execute(plan, { dry_run: false });
    world.policy = withSwitches({ oracle: false }, world.policy);
    expect(await codeOf(world.oracle.tick())).toBe('switched_off');
    expect(await codeOf(ownPlan(world))).toBe('switched_off');
    const rollback_key = mutations[0]?.rollback_key as string;
    const back = await world.oracle.rollback({ rollback_key, emergency: false });
    expect(back.rolled_back).toEqual([rollback_key]);
  });

  test('what the journal refuses did not happen', async () => {
    world.refuse = true;
    expect(await codeOf(ownPlan(world))).toBeUndefined();
    world.refuse = false;
    expect(await world.oracle.plans(null)).toEqual([]);
  });
});
