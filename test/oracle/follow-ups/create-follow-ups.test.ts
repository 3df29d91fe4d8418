import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FollowUpEvent } from '../../../src/core/event.ts';
import { OWN_CALL_HEADER } from '../../../src/core/own-calls.ts';
import type { PromptSample } from '../../../src/core/prompt/sample.ts';
import type { FollowUpPolicy } from '../../../src/core/signals/follow-up-policy.ts';
import { createFollowUps } from '../../../src/oracle/follow-ups/create-follow-ups.ts';
import type { Store } from '../../../src/store/open.ts';
import { callEvent } from '../../kit/events.ts';
import { emptyStore, openTestStore } from '../../kit/store.ts';
import { until } from '../../kit/until.ts';
import { answer, stall, startUpstream, type Upstream } from '../../kit/upstream.ts';
import { createWorld, type World } from '../world.ts';
import { followUpPolicy } from './follow-ups-world.ts';

let store: Store;
let upstream: Upstream;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  await emptyStore(store);
  upstream = await startUpstream(answer('{"class":"wrong_answer"}'));
});
afterEach(() => upstream.close());

function worldOf(asked: Partial<FollowUpPolicy> = {}) {
  const world = createWorld(store, followUpPolicy(asked), {
    ownCalls: {
      gateway_url: upstream.url.replace(/\/v1$/, ''),
      token: () => 'token-of-ours',
      hash: (tenant, value) => `${tenant}/${value}`,
    },
  });
  const { followUps } = world.oracle;
  if (!followUps) throw new Error('there are no follow-ups');
  return { world, followUps };
}

const NEXT = 'Lyon is not the capital.';

/** Turns of users, each after a call of theirs, as the gateway keeps and records them. */
async function said(world: World, units: readonly string[], over: Partial<PromptSample> = {}) {
  const { agent = 'duo' } = over;
  for (const unit of units) {
    world.oracle.receive({
      call: `${unit}-2`,
      at_ms: world.now_ms,
      tenant: 'default',
      agent,
      unit,
      user: unit,
      session: null,
      served: 'demo',
      turns: [
        { role: 'user', text: 'Capital of France?' },
        { role: 'assistant', text: 'Lyon.' },
        { role: 'user', text: NEXT },
      ],
      answer: 'Paris.',
      ...over,
    });
  }
  await world.apply(
    units.flatMap((unit) => [
      callEvent(`${unit}-1`, { unit, agent, at_ms: world.now_ms }),
      callEvent(`${unit}-2`, {
        unit,
        agent,
        at_ms: world.now_ms,
        parent: `${unit}-1`,
        relation: 'turn',
      }),
    ]),
  );
  await world.oracle.proposals?.flush();
}

const journalled = ({ journal }: World) => journal as unknown as readonly FollowUpEvent[];

describe('createFollowUps', () => {
  test('createFollowUps asks once a turn, as the oracle, and journals a class alone', async () => {
    expect(createFollowUps).toBeInstanceOf(Function);
    const { world, followUps } = worldOf();
    await said(world, ['u:1', 'u:2']);
    await followUps.tick();
    await followUps.tick();
    expect(upstream.calls).toHaveLength(2);
    const [asked] = upstream.calls;
    expect(asked?.headers[OWN_CALL_HEADER]).toBe('token-of-ours');
    expect(asked?.headers['x-hive-target']).toBe('mini');
    expect(asked?.system).not.toContain(NEXT);
    expect(journalled(world).map(({ call, class: one, by }) => [call, one, by])).toEqual([
      ['u:1-2', 'wrong_answer', 'mini'],
      ['u:2-2', 'wrong_answer', 'mini'],
    ]);
    expect(JSON.stringify(world.journal)).not.toContain('Lyon');
    expect(await followUps.status()).toMatchObject({ state: 'on', waiting: 0 });
  });

  test('createFollowUps waits for a turn to be stored, and asks of nothing but turns', async () => {
    const { world, followUps } = worldOf({ agents: ['duo'] });
    await said(world, ['u:1'], { turns: [{ role: 'user', text: 'A first message.' }] });
    await said(world, ['u:2'], { agent: 'solo' });
    expect(await followUps.status()).toMatchObject({ waiting: 0 });
    await said(world, ['u:3'], { call: 'not-there-yet' });
    await followUps.tick();
    expect(upstream.calls).toHaveLength(0);
    expect(await followUps.status()).toMatchObject({ waiting: 1 });
    await world.apply([
      callEvent('not-there-yet', { parent: 'u:3-1', relation: 'turn', agent: 'duo' }),
    ]);
    await followUps.tick();
    expect(upstream.calls).toHaveLength(1);
  });

  test('createFollowUps stops at the hour’s budget, and goes on in the next hour', async () => {
    const budget = { calls_per_hour: 2, tokens_per_hour: 1_000_000 };
    const { world, followUps } = worldOf({ budget });
    world.now_ms += 50 * 60_000;
    await said(world, ['u:1', 'u:2', 'u:3']);
    await followUps.tick();
    await followUps.tick();
    expect(upstream.calls).toHaveLength(2);
    expect(await followUps.status()).toMatchObject({ state: 'budget_spent', waiting: 1 });
    world.now_ms += 15 * 60_000;
    await followUps.tick();
    expect(journalled(world)).toHaveLength(3);
    expect(await followUps.status()).toMatchObject({ state: 'on', spent: { calls: 1 } });
  });

  test('createFollowUps lets go of turns that have waited for too long', async () => {
    const budget = { calls_per_hour: 1, tokens_per_hour: 1_000_000 };
    const { world, followUps } = worldOf({ budget });
    await said(world, ['u:1', 'u:2']);
    await followUps.tick();
    expect(await followUps.status()).toMatchObject({ waiting: 1 });
    world.now_ms += 3_600_000;
    await followUps.tick();
    expect(await followUps.status()).toMatchObject({ waiting: 0, spent: { calls: 0 } });
  });

  test('createFollowUps sets tokens aside before it asks', async () => {
    const budget = { calls_per_hour: 100, tokens_per_hour: 200 };
    const { world, followUps } = worldOf({ budget });
    await said(world, ['u:1']);
    await followUps.tick();
    expect(upstream.calls).toHaveLength(0);
    expect((await followUps.status()).state).toBe('budget_spent');
  });

  test('createFollowUps takes an answer of another form for no class, and asks on', async () => {
    upstream.script(answer('As you wish: {"class":"satisfied"}'));
    const { world, followUps } = worldOf();
    await said(world, ['u:1', 'u:2', 'u:3', 'u:4']);
    await followUps.tick();
    expect(upstream.calls).toHaveLength(4);
    expect(journalled(world)).toEqual([]);
    expect((await followUps.status()).state).toBe('on');
  });

  test('createFollowUps asks a model that hangs twice, and then not for a while', async () => {
    upstream.script(stall());
    const { world, followUps } = worldOf({ timeout_ms: 150 });
    await said(world, ['u:1', 'u:2', 'u:3', 'u:4']);
    await followUps.tick();
    expect(upstream.calls).toHaveLength(2);
    expect(await followUps.status()).toMatchObject({ state: 'breaker_open', waiting: 2 });
  });

  test('createFollowUps asks nothing while frozen, nor where no model is named', async () => {
    const { world, followUps } = worldOf();
    await said(world, ['u:1']);
    world.frozen = true;
    await followUps.tick();
    expect(await followUps.status()).toMatchObject({ state: 'paused', waiting: 0 });
    world.frozen = false;
    const { follow_ups: _none, ...oracle } = world.policy.oracle;
    world.policy = { ...world.policy, oracle };
    await said(world, ['u:2']);
    await followUps.tick();
    expect(await followUps.status()).toMatchObject({ state: 'off', waiting: 0 });
    expect(upstream.calls).toHaveLength(0);
  });

  test('createFollowUps lets the oldest go where more wait than it holds', async () => {
    const { world, followUps } = worldOf();
    const turns = [
      { role: 'user', text: 'one' },
      { role: 'assistant', text: 'two' },
      { role: 'user', text: 'three' },
    ] as const;
    const units = Array.from({ length: 520 }, (_, n) => `u:${n}`);
    for (const unit of units) {
      const ids = { call: `${unit}-2`, unit, user: unit, session: null, tenant: 'default' };
      const at = { at_ms: world.now_ms, agent: 'duo', served: 'demo' };
      world.oracle.receive({ ...ids, ...at, turns, answer: 'four' });
    }
    expect((await followUps.status()).waiting).toBe(500);
  });

  test('createFollowUps ends a call that hangs when the worker stops', async () => {
    upstream.script(stall());
    const { world, followUps } = worldOf({ timeout_ms: 60_000 });
    await said(world, ['u:1']);
    const ticking = followUps.tick();
    expect(followUps.tick()).toBe(ticking);
    await until(() => upstream.calls.length === 1, { what: 'the call to the model' });
    await followUps.stop();
    await ticking;
    expect(journalled(world)).toEqual([]);
    expect((await followUps.status()).waiting).toBe(1);
  });
});
