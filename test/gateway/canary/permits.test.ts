import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CanaryWithheldEvent } from '../../../src/core/event.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import { type Experiment, PERMIT_TTL_MS, type Permit } from '../../../src/core/state.ts';
import { createPermits } from '../../../src/gateway/canary/permits.ts';
import { oraclePolicy } from '../../core/policy.ts';
import { callEvent } from '../call-event.ts';
import { createHandClock } from '../hand-clock.ts';
import { createMemoryBus } from '../memory-bus.ts';

function world() {
  const time = createHandClock();
  const bus = createMemoryBus();
  const told: CanaryWithheldEvent[] = [];
  const permits = createPermits({
    clock: time.clock,
    after: time.after,
    bus,
    log: silentLog,
    metrics: createMetrics(),
    triggers: () => oraclePolicy.safety.rollback,
    onWithheld: (event) => told.push(event),
  });
  const withheldEvents = () => bus.records.filter((record) => record.type === 'canary.withheld');
  return { time, bus, told, permits, withheldEvents };
}

const experiment: Experiment = {
  id: 'exp_1',
  agent: 'helper',
  row: 'm',
  state: 'canary',
  epoch: 1,
};
const permit: Permit = { experiment: 'exp_1', epoch: 1, share: 0.05, ttl_ms: PERMIT_TTL_MS };
const failed = callEvent({ experiment: 'exp_1', arm: 'canary', arm_error: true, outcome: 'error' });
/** Lets what has been promised be done. */
const settle = () => new Promise(setImmediate);

describe('permits', () => {
  test('a canary without a permit is served to nobody', () => {
    const { permits } = world();
    expect(permits.shareOf(experiment)).toBe(0);
    permits.receive([permit]);
    expect(permits.shareOf(experiment)).toBe(0.05);
    expect(permits.shareOf({ ...experiment, id: 'exp_2' })).toBe(0);
    expect(permits.shareOf({ ...experiment, state: 'paused' })).toBe(0);
    expect(permits.shareOf({ ...experiment, epoch: 2 })).toBe(0);
  });

  test('an expired permit is journalled once and withheld at its epoch', async () => {
    const { permits, time, told, withheldEvents } = world();
    permits.receive([permit]);
    time.advance(PERMIT_TTL_MS - 1);
    permits.receive([permit]);
    time.advance(PERMIT_TTL_MS - 1);
    expect(permits.shareOf(experiment)).toBe(0.05);
    time.advance(1);
    expect(permits.shareOf(experiment)).toBe(0);
    permits.receive([permit]);
    time.advance(10 * PERMIT_TTL_MS);
    expect(permits.shareOf(experiment)).toBe(0);
    await settle();
    expect(withheldEvents()).toEqual([
      expect.objectContaining({ experiment: 'exp_1', epoch: 1, cause: 'expired' }),
    ]);
    expect(told).toHaveLength(1);
    expect(permits.withheld()).toEqual({ exp_1: expect.stringContaining('expired') });
    permits.receive([{ ...permit, epoch: 2 }]);
    expect(permits.shareOf(experiment)).toBe(0.05);
    expect(permits.withheld()).toEqual({});
  });

  test('a permit that the worker leaves out is over without being an expiry', async () => {
    const { permits, time, withheldEvents } = world();
    permits.receive([permit]);
    permits.receive([]);
    expect(permits.shareOf(experiment)).toBe(0);
    time.advance(10 * PERMIT_TTL_MS);
    await settle();
    expect(withheldEvents()).toEqual([]);
    expect(time.waiting()).toBe(0);
    permits.receive([permit]);
    expect(permits.shareOf(experiment)).toBe(0.05);
  });

  test('a lower epoch, or a share that is none, changes nothing', () => {
    const { permits } = world();
    permits.receive([{ ...permit, epoch: 3 }]);
    permits.receive([{ ...permit, epoch: 2, share: 0.5 }]);
    permits.receive([{ ...permit, epoch: 4, share: 1.5 }]);
    permits.receive([{ ...permit, epoch: 4, share: Number.NaN }]);
    expect(permits.shareOf(experiment)).toBe(0.05);
    permits.receive([{ ...permit, epoch: 4, share: 0 }]);
    expect(permits.shareOf(experiment)).toBe(0);
  });

  test('errors of the canary arm trip the trigger, those of others do not', async () => {
    const { permits, withheldEvents } = world();
    permits.receive([permit]);
    for (let call = 0; call < 200; call += 1) {
      permits.observeCall({ ...failed, arm: 'control' });
      permits.observeCall({ ...failed, experiment: 'exp_2' });
      permits.observeCall({ ...failed, outcome: 'rejected' });
      permits.observeCall({ ...failed, origin: 'probe' });
      permits.observeCall({ ...failed, outcome: 'aborted', arm_error: false });
    }
    expect(permits.shareOf(experiment)).toBe(0.05);
    let calls = 0;
    while (permits.shareOf(experiment) > 0 && calls < 40) {
      permits.observeCall(failed);
      calls += 1;
    }
    expect(calls).toBeLessThan(30);
    await settle();
    expect(withheldEvents()).toEqual([
      expect.objectContaining({ cause: 'trigger', reason: expect.stringContaining('error rate') }),
    ]);
    permits.receive([{ ...permit, epoch: 2 }]);
    permits.observeCall(failed);
    expect(permits.shareOf(experiment)).toBe(0.05);
  });

  test('slow answers of the canary arm trip the trigger', () => {
    const { permits } = world();
    permits.receive([permit]);
    const slow = callEvent({ experiment: 'exp_1', arm: 'canary', latency_ms: 11_000 });
    for (let call = 0; call < 71; call += 1) permits.observeCall(slow);
    expect(permits.shareOf(experiment)).toBe(0.05);
    permits.observeCall(slow);
    expect(permits.shareOf(experiment)).toBe(0);
    expect(permits.withheld().exp_1).toContain('p95 is above 10000 ms');
  });

  test('a trigger outranks an expiry, and is told even after one', async () => {
    const { permits, time, withheldEvents } = world();
    permits.receive([permit]);
    time.advance(PERMIT_TTL_MS);
    for (let call = 0; call < 60; call += 1) permits.observeCall(failed);
    await settle();
    expect(withheldEvents().map(({ cause }) => cause)).toEqual(['expired', 'trigger']);
    expect(permits.withheld().exp_1).toContain('error rate');
  });

  test('canary.withheld is told again until the disk takes it', async () => {
    const { permits, bus, time, told, withheldEvents } = world();
    bus.refuse('not_ready');
    permits.receive([permit]);
    time.advance(PERMIT_TTL_MS);
    await settle();
    time.advance(1000);
    await settle();
    expect([withheldEvents(), told]).toEqual([[], []]);
    bus.refuse(null);
    time.advance(1000);
    await settle();
    expect(withheldEvents()).toHaveLength(1);
    expect(told).toHaveLength(1);
    expect(time.waiting()).toBe(0);
  });

  test('a freeze serves no canary until it is lifted', () => {
    const { permits } = world();
    permits.receive([permit]);
    permits.setFrozen(true);
    expect(permits.shareOf(experiment)).toBe(0);
    permits.setFrozen(false);
    expect(permits.shareOf(experiment)).toBe(0.05);
  });

  test('close is no expiry: nothing is journalled and no timer is left', async () => {
    const { permits, time, withheldEvents } = world();
    permits.receive([permit]);
    permits.close();
    time.advance(10 * PERMIT_TTL_MS);
    permits.receive([permit]);
    expect(permits.shareOf(experiment)).toBe(0);
    await settle();
    expect(withheldEvents()).toEqual([]);
    expect(time.waiting()).toBe(0);
  });

  test('experiments that are long over are forgotten', () => {
    const { permits, time } = world();
    for (let count = 0; count < 3000; count += 1) {
      permits.receive([{ ...permit, experiment: `exp_${count}` }]);
      time.advance(PERMIT_TTL_MS);
    }
    expect(Object.keys(permits.withheld()).length).toBeLessThanOrEqual(1000);
  });
});

type Step =
  | {
      readonly do: 'permit';
      readonly epoch: number;
      readonly share: number;
      readonly ttl_ms: number;
    }
  | { readonly do: 'leave out' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'freeze'; readonly frozen: boolean }
  | { readonly do: 'fail'; readonly calls: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('permit' as const),
    epoch: fc.integer({ min: 1, max: 4 }),
    share: fc.constantFrom(0, 0.05, 1),
    ttl_ms: fc.integer({ min: 0, max: 100 }),
  }),
  fc.record({ do: fc.constant('leave out' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 120 }) }),
  fc.record({ do: fc.constant('freeze' as const), frozen: fc.boolean() }),
  fc.record({ do: fc.constant('fail' as const), calls: fc.integer({ min: 1, max: 2 }) }),
);

/** What the share must be, said another way: by looking at the whole of what has happened. */
function createModel() {
  let now_ms = 0;
  let frozen = false;
  let share = 0;
  let until_ms = 0;
  let epoch = 0;
  let withheldAt = 0;
  let errors = 0;
  const withhold = (): void => {
    share = 0;
    withheldAt = epoch;
  };
  const permit = (one: Permit): void => {
    if (one.epoch < epoch || one.epoch <= withheldAt) return;
    if (withheldAt === epoch) errors = 0;
    epoch = one.epoch;
    share = one.ttl_ms > 0 ? one.share : 0;
    until_ms = now_ms + one.ttl_ms;
  };
  const wait = (ms: number): void => {
    now_ms += ms;
    if (share > 0 && now_ms >= until_ms) withhold();
  };
  const fail = (calls: number): void => {
    if (epoch > 0) errors += calls;
    // Three errors and nothing else are evidence enough (core/triggers: the e-process).
    if (errors >= 3) withhold();
  };
  return {
    act(one: Step): number {
      if (one.do === 'permit') permit({ ...one, experiment: 'exp_1' });
      if (one.do === 'leave out') share = 0;
      if (one.do === 'wait') wait(one.ms);
      if (one.do === 'freeze') frozen = one.frozen;
      if (one.do === 'fail') fail(one.calls);
      return frozen ? 0 : share;
    },
  };
}

function act({ permits, time }: ReturnType<typeof world>, one: Step): void {
  if (one.do === 'permit') permits.receive([{ ...one, experiment: 'exp_1' }]);
  if (one.do === 'leave out') permits.receive([]);
  if (one.do === 'wait') time.advance(one.ms);
  if (one.do === 'freeze') permits.setFrozen(one.frozen);
  if (one.do === 'fail') {
    for (let call = 0; call < one.calls; call += 1) permits.observeCall(failed);
  }
}

describe('permits as a state machine', () => {
  test('the share is that of the newest permit that neither time nor harm ended', async () => {
    const steps = fc.array(step, { maxLength: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const mine = world();
        const model = createModel();
        for (const one of all) {
          const share = model.act(one);
          act(mine, one);
          expect(mine.permits.shareOf(experiment)).toBe(share);
        }
        await settle();
        const told = mine.withheldEvents().map((event) => `${event.epoch} ${event.cause}`);
        expect(new Set(told).size).toBe(told.length);
      }),
      { numRuns: 300 },
    );
  });
});
