import { describe, expect, test } from 'vitest';
import type { CanaryWithheldEvent } from '../../../src/core/event.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import { createWithholding } from '../../../src/gateway/canary/withholding.ts';
import { createHandClock } from '../hand-clock.ts';
import { createMemoryBus } from '../memory-bus.ts';

function world() {
  const { clock, after, advance, waiting } = createHandClock();
  const bus = createMemoryBus();
  const metrics = createMetrics();
  const told: CanaryWithheldEvent[] = [];
  const onWithheld = (event: CanaryWithheldEvent) => void told.push(event);
  const log = silentLog;
  const withholding = createWithholding({ clock, after, bus, metrics, log, onWithheld });
  return { withholding, bus, told, metrics, advance, waiting, clock };
}

/** Lets what has been promised be done. */
const settle = () => new Promise(setImmediate);

describe('createWithholding', () => {
  test('tell hints at the worker only once the event is durable', async () => {
    const { withholding, bus, told, metrics, clock } = world();
    bus.hold(true);
    withholding.tell('exp_1', 4, 'trigger', 'too many errors');
    await settle();
    expect(told).toEqual([]);
    bus.sync();
    await settle();
    expect(told).toEqual([
      {
        type: 'canary.withheld',
        v: 1,
        at_ms: clock.policy_ms(),
        experiment: 'exp_1',
        epoch: 4,
        cause: 'trigger',
        reason: 'too many errors',
      },
    ]);
    expect(bus.records).toEqual(told);
    expect(metrics.snapshot().hive_canary_withheld_total).toMatchObject([
      { labels: ['trigger'], value: 1 },
    ]);
  });

  test('tell tries again each second, with the time at which it happened', async () => {
    const { withholding, bus, told, metrics, advance, waiting, clock } = world();
    const at_ms = clock.policy_ms();
    bus.refuse('not_ready');
    withholding.tell('exp_1', 1, 'expired', 'no heartbeat');
    for (let second = 0; second < 3; second += 1) {
      await settle();
      expect(waiting()).toBe(1);
      advance(1000);
    }
    bus.refuse(null);
    await settle();
    advance(1000);
    await settle();
    expect(told.map((event) => event.at_ms)).toEqual([at_ms]);
    expect(metrics.snapshot().hive_canary_withheld_total?.[0]?.value).toBe(1);
  });

  test('close calls off what would be tried again', async () => {
    const { withholding, bus, waiting } = world();
    bus.refuse('not_ready');
    withholding.tell('exp_1', 1, 'expired', 'no heartbeat');
    await settle();
    withholding.close();
    expect(waiting()).toBe(0);
  });
});
