import { describe, expect, test } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { createLoop, waitFor } from '../../src/oracle/loop.ts';

const schedule = { every_ms: 60_000, jitter: 0.1 };

describe('waitFor', () => {
  test('waitFor scales policy time, adds jitter on both sides, and never spins', () => {
    const real = { origin_ms: 0, scale: 1 };
    expect(waitFor(real, schedule, 0.5, 0)).toBe(60_000);
    expect(waitFor(real, schedule, 0, 0)).toBeCloseTo(54_000, 6);
    expect(waitFor(real, schedule, 1, 0)).toBeCloseTo(66_000, 6);
    expect(waitFor({ origin_ms: 0, scale: 60 }, schedule, 0.5, 0)).toBe(1000);
    expect(waitFor({ origin_ms: 0, scale: 1e6 }, schedule, 0.5, 0)).toBe(250);
  });

  test('waitFor backs off after failures up to a minute', () => {
    const fast = { origin_ms: 0, scale: 1e6 };
    expect(waitFor(fast, schedule, 0.5, 1)).toBe(500);
    expect(waitFor(fast, schedule, 0.5, 3)).toBe(2000);
    expect(waitFor(fast, schedule, 0.5, 99)).toBe(60_000);
  });
});

describe('createLoop', () => {
  function loopOf(run: () => Promise<boolean>, every_ms = 250) {
    return createLoop({
      origin: { origin_ms: 0, scale: 1 },
      log: silentLog,
      schedule: () => ({ every_ms, jitter: 0 }),
      random: () => 0.5,
      run,
    });
  }

  test('stop ends a long sleep at once', async () => {
    const loop = loopOf(async () => true, 3_600_000);
    loop.start();
    await loop.stop();
  });

  test('stop awaits the running cycle, and runs never overlap', async () => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    let finished = false;
    const loop = loopOf(async () => {
      running += 1;
      most = Math.max(most, running);
      enter();
      await gate;
      running -= 1;
      finished = true;
      return true;
    });
    loop.start();
    loop.start();
    await entered;
    const stopped = loop.stop();
    expect(finished).toBe(false);
    open();
    await stopped;
    expect(finished).toBe(true);
    expect(most).toBe(1);
  });

  test('a cycle that throws does not end the loop', async () => {
    const { promise: again, resolve } = Promise.withResolvers<void>();
    let runs = 0;
    const loop = loopOf(async () => {
      runs += 1;
      if (runs === 1) throw new Error('once');
      resolve();
      return true;
    });
    loop.start();
    await again;
    await loop.stop();
    expect(runs).toBe(2);
  });
});
