import { describe, expect, test } from 'vitest';
import { versionOf } from '../../src/core/fold.ts';
import type { Plan } from '../../src/core/oracle.ts';
import { ADAPTER_PATCH, POLICY } from './kit.ts';
import {
  approvedPlan,
  eachInWorld,
  MINUTE_MS,
  servedVersion,
  unhappyTraffic,
  type World,
} from './world.ts';

let world: World;
eachInWorld((made) => {
  world = made;
});

describe('a cycle', () => {
  test('a cycle finds, plans, asks a person, and starts a canary once approved', async () => {
    await unhappyTraffic(world);
    const first = await world.oracle.tick();
    expect(first.state).toBe('done');
    expect(Object.keys(first.stages)).toEqual(POLICY.pipeline.stages.order);
    const [plan] = await world.oracle.plans('needs_approval');
    expect(plan?.mutations[0]).toMatchObject({ type: 'LORA_APPLY', patch: ADAPTER_PATCH });
    await world.oracle.tick();
    expect(await world.oracle.plans(null)).toHaveLength(1);
    expect(await world.oracle.canaries()).toEqual([]);

    world.now_ms += MINUTE_MS;
    await world.oracle.approve((plan as Plan).id, 'ada', 'looks right');
    await world.oracle.tick();
    const [canary] = await world.oracle.canaries();
    expect(canary).toMatchObject({ agent: 'solo', state: 'canary', share: 0.05 });
    expect(world.permits()).toEqual([
      { experiment: canary?.experiment, epoch: 1, share: 0.05, ttl_ms: 20_000 },
    ]);
    expect(servedVersion(world)).toBe(versionOf(POLICY));
    expect(await world.oracle.cycle(first.id)).toMatchObject({ id: first.id, state: 'done' });
    const [newest] = await world.oracle.cycles(1);
    expect(newest?.stages.execute).toMatchObject({ executed: [{ effective: true }] });
  });

  test('a good canary ramps over all shares and is promoted, and rollback leads back', async () => {
    const plan = await approvedPlan(world);
    const { mutations } = await world.oracle.execute(plan, { dry_run: false });
    const shares = new Set<number>();
    for (let tick = 0; tick < 40 && (await world.oracle.canaries()).length > 0; tick += 1) {
      const share = world.permits()[0]?.share ?? 0;
      shares.add(share);
      const units = share < 0.2 ? 400 : 150;
      const unhappy = (arm: string, unit: number) =>
        arm === 'control' ? unit % 10 > 0 : unit % 20 < 1;
      await world.serve({ agent: 'solo', units, over_ms: 20 * MINUTE_MS, unhappy });
      await world.oracle.tick();
    }
    expect([...shares]).toEqual([0.05, 0.1, 0.25, 0.5]);
    expect(world.state().rows).toMatchObject([{ state: 'applied', patch: ADAPTER_PATCH }]);
    expect(servedVersion(world)).toBe(mutations[0]?.version_after);
    expect(world.state().experiments).toEqual([]);

    const rollback_key = mutations[0]?.rollback_key as string;
    const back = await world.oracle.rollback({ rollback_key, emergency: false });
    const expected = { rolled_back: [rollback_key], version: versionOf(POLICY), effective: true };
    expect(back).toEqual({ ...expected, already: false });
    const again = await world.oracle.rollback({ rollback_key, emergency: false });
    expect(again).toEqual({ ...expected, already: true });
    expect(world.state().rows).toEqual([]);
  });

  test('a harmful canary is withdrawn by itself and not proposed again', async () => {
    const plan = await approvedPlan(world);
    await world.oracle.execute(plan, { dry_run: false });
    for (let tick = 0; tick < 20 && (await world.oracle.canaries()).length > 0; tick += 1) {
      const failed = (arm: string) => arm === 'canary';
      const unhappy = (_arm: string, unit: number) => unit % 2 === 0;
      await world.serve({ agent: 'solo', units: 100, over_ms: 5 * MINUTE_MS, unhappy, failed });
      await world.oracle.tick();
    }
    expect(await world.oracle.canaries()).toEqual([]);
    expect(world.state().rows).toEqual([]);
    expect(servedVersion(world)).toBe(versionOf(POLICY));
    const plans = await world.oracle.plans(null);
    const patches = plans.flatMap((one) => one.mutations.map(({ patch }) => patch));
    const repeated = patches.filter(
      (patch) => JSON.stringify(patch) === JSON.stringify(ADAPTER_PATCH),
    );
    expect(repeated).toHaveLength(1);
  });

  test('a cycle that fails says which stage and why, and the next one runs', async () => {
    const broken = world.policy;
    world.policy = { ...broken, oracle: { ...broken.oracle, gates: ['magic'] } };
    await unhappyTraffic(world);
    const failed = await world.oracle.tick();
    expect(failed).toMatchObject({ state: 'failed' });
    expect(failed.stages.validate?.error).toContain('no gate named magic');
    world.policy = broken;
    expect((await world.oracle.tick()).state).toBe('done');
  });

  test('tick joins the cycle that runs', async () => {
    const [left, right] = await Promise.all([world.oracle.tick(), world.oracle.tick()]);
    expect(left.id).toBe(right.id);
  });
});
