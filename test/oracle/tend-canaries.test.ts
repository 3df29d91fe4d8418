import { describe, expect, test } from 'vitest';
import type { CallEvent, CanaryWithheldEvent } from '../../src/core/event.ts';
import { canaryCells } from '../../src/store/canary-stats.ts';
import type { Store } from '../../src/store/open.ts';
import { callEvent } from '../kit/events.ts';
import { emptyStore } from '../kit/store.ts';
import { POLICY, withSwitches } from './kit.ts';
import { codeOf, createWorld, eachInWorld, MINUTE_MS, ownPlan, type World } from './world.ts';

let world: World;
let store: Store;
eachInWorld((made, opened) => {
  world = made;
  store = opened;
});

describe('a canary in trouble', () => {
  async function startCanary(): Promise<{ experiment: string; key: string }> {
    const plan = await ownPlan(world);
    await world.oracle.approve(plan.id, null, null);
    const { mutations } = await world.oracle.execute(plan, { dry_run: false });
    const [canary] = await world.oracle.canaries();
    return {
      experiment: canary?.experiment as string,
      key: mutations[0]?.rollback_key as string,
    };
  }
  const withheld = (
    experiment: string,
    epoch: number,
    cause: CanaryWithheldEvent['cause'],
  ): CanaryWithheldEvent => ({
    type: 'canary.withheld',
    v: 1,
    at_ms: world.now_ms,
    experiment,
    epoch,
    cause,
    reason: cause === 'trigger' ? 'error rate 40 %' : 'no permit for 20 s',
  });

  test('a cold start of its first five units is not taken for slowness', async () => {
    const agent = 'solo';
    const at = (over: Partial<CallEvent>) => ({ at_ms: world.now_ms, agent, ...over });
    const warm = Array.from({ length: 80 }, (_, n) =>
      callEvent(`w${n}`, at({ unit: `u:w${n}`, latency_ms: 100 })),
    );
    await world.apply(warm);
    const { experiment } = await startCanary();
    const slow = (id: string) =>
      callEvent(
        id,
        at({ unit: `u:${id}`, experiment, arm: 'canary', share: 0.05, latency_ms: 900 }),
      );
    const counted = async () => {
      const cells = await canaryCells(store.db, experiment, { now_ms: 0, maturity_ms: 0 });
      return cells.find(({ metric }) => metric === 'slow')?.units ?? 0;
    };
    await world.apply(['c1', 'c2', 'c3', 'c4'].map(slow));
    await world.oracle.tick();
    await world.apply([slow('c5')]);
    expect(await counted()).toBe(0);
    await world.oracle.tick();
    expect(await world.oracle.canaries()).toMatchObject([{ state: 'canary' }]);
    await world.apply(['s1', 's2', 's3', 's4'].map(slow));
    expect(await counted()).toBe(4);
    await world.oracle.tick();
    expect(await world.oracle.canaries()).toEqual([]);
  });

  test('a trigger of the gateway withdraws it, once', async () => {
    const { experiment } = await startCanary();
    const event = withheld(experiment, 1, 'trigger');
    await world.oracle.onWithheld(event);
    const written = world.journal.length;
    await world.oracle.onWithheld(event);
    expect(world.journal).toHaveLength(written);
    expect(world.state()).toMatchObject({ rows: [], experiments: [] });
    expect(world.permits()).toEqual([]);
  });

  test('an expiry pauses it, a cycle resumes it, and the third in a day withdraws it', async () => {
    const { experiment } = await startCanary();
    for (const epoch of [1, 3]) {
      await world.oracle.onWithheld(withheld(experiment, epoch, 'expired'));
      expect(world.state().experiments).toMatchObject([{ state: 'paused', epoch: epoch + 1 }]);
      expect(world.permits()).toEqual([]);
      world.now_ms += MINUTE_MS;
      await world.oracle.tick();
      expect(world.permits()).toMatchObject([{ experiment, epoch: epoch + 2, share: 0.05 }]);
    }
    await world.oracle.onWithheld(withheld(experiment, 5, 'expired'));
    expect(world.state().rows).toEqual([]);
  });

  test('a trigger that only the store remembers is acted on by the next cycle', async () => {
    const { experiment } = await startCanary();
    await world.apply([withheld(experiment, 1, 'trigger')]);
    await world.oracle.tick();
    expect(world.state().rows).toEqual([]);
  });

  test('without auto_rollback a trigger holds it for a person', async () => {
    world.policy = withSwitches({ auto_rollback: false });
    const { experiment, key } = await startCanary();
    await world.oracle.onWithheld(withheld(experiment, 1, 'trigger'));
    await world.oracle.tick();
    expect(await world.oracle.canaries()).toMatchObject([{ state: 'paused' }]);
    await world.oracle.rollback({ rollback_key: key, emergency: false });
    expect(await world.oracle.canaries()).toEqual([]);
  });

  test('without feedback it pauses, and goes on when feedback is back', async () => {
    await startCanary();
    world.policy = withSwitches({ feedback_loop: false });
    expect(await world.oracle.permits()).toEqual([]);
    await world.oracle.tick();
    expect(await world.oracle.canaries()).toMatchObject([{ state: 'paused' }]);
    world.policy = POLICY;
    await world.oracle.tick();
    expect(await world.oracle.canaries()).toMatchObject([{ state: 'canary', share: 0.05 }]);
  });

  test('frozen, nothing is permitted or executed, and rollback works', async () => {
    const { key } = await startCanary();
    world.frozen = true;
    expect(await world.oracle.permits()).toEqual([]);
    const plan = await ownPlan(
      world,
      { agents: { duo: { adapter: 'upper' } } },
      'LORA_APPLY',
      'duo',
    );
    await world.oracle.approve(plan.id, null, null);
    expect(await codeOf(world.oracle.execute(plan, { dry_run: false }))).toBe('switched_off');
    expect((await world.oracle.tick()).stages.execute).toMatchObject({ frozen: true });
    const back = await world.oracle.rollback({ rollback_key: key, emergency: false });
    expect(back.rolled_back).toEqual([key]);
  });

  test('a row that the gateway could not fold is superseded', async () => {
    await startCanary();
    const [row] = world.state().rows;
    const { epoch } = world.state();
    world.oracle.onSwapped({
      type: 'policy.swapped',
      v: 1,
      at_ms: world.now_ms,
      epoch,
      version: '',
      superseded: [row?.id as string],
    });
    await expect.poll(() => world.state().rows, { timeout: 5000 }).toEqual([]);
  });

  test('a second oracle on the same store goes on with the same canary', async () => {
    const { experiment } = await startCanary();
    const next = createWorld(store);
    expect(await next.oracle.permits()).toMatchObject([{ experiment, share: 0.05 }]);
    expect(await next.oracle.state()).toEqual(world.state());
  });

  test('the journal alone rebuilds the ledger', async () => {
    await startCanary();
    const state = world.state();
    await emptyStore(store);
    await world.apply(world.journal);
    expect(await world.oracle.state()).toEqual(state);
  });

  test('the ledger journalled again rebuilds it without its older segments', async () => {
    await startCanary();
    const state = world.state();
    const pruned = world.journal.length;
    await world.oracle.rejournal();
    const kept = world.journal.slice(pruned);
    expect(kept.length).toBeGreaterThan(0);
    await world.apply(kept);
    expect(await world.oracle.state()).toEqual(state);
    await emptyStore(store);
    await world.apply(kept);
    expect(await world.oracle.state()).toEqual(state);
  });
});
