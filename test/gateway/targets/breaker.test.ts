import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { Breaker, type BreakerPolicy } from '../../../src/gateway/targets/breaker.ts';

const POLICY: BreakerPolicy = { errors: 0.5, calls_min: 20, failures: 3, open_ms: 10_000 };
const breakers: Breaker[] = [];

const start = (policy = POLICY) => {
  const time = { now_ms: 1_000_000 };
  const turns: boolean[] = [];
  const onTurn = (open: boolean) => void turns.push(open);
  const breaker = new Breaker(policy, { monotonic_ms: () => time.now_ms, onTurn });
  breakers.push(breaker);
  return { breaker, time, turns };
};
afterEach(() => {
  for (const breaker of breakers.splice(0)) breaker.close();
});

/** One call a tick, which goes elsewhere where the breaker does not let it through. */
const call = (breaker: Breaker, well: boolean): boolean => {
  if (!breaker.ready) {
    breaker.passOver();
    return false;
  }
  breaker.enter(false)?.say(well);
  return true;
};

/**
 * The primary is dead for so long, and wanted each so often; then it is well again, and wanted once
 * a second at least.
 */
const outage = (outage_ms: number, every_ms: number, { warm = 3, offset_ms = 0 } = {}) => {
  const { breaker, time } = start();
  for (let one = 0; one < warm; one += 1, time.now_ms += every_ms) call(breaker, true);
  const until_ms = time.now_ms + outage_ms;
  const asked: boolean[] = [];
  for (time.now_ms += offset_ms; time.now_ms < until_ms; time.now_ms += every_ms) {
    asked.push(call(breaker, false));
  }
  while (!call(breaker, true)) time.now_ms += Math.min(every_ms, 1000);
  const attempts = asked.filter(Boolean).length;
  return { calls: asked.length, attempts, back_ms: time.now_ms - until_ms };
};

describe('breaker in an outage', () => {
  test.each([0, 1000, 2500, 3900])(
    'breaker lets 4 of 15 calls of a minute through, and is back in 5 s (from %i ms on)',
    (offset_ms) => {
      const { calls, attempts, back_ms } = outage(60_000, 4000, { offset_ms });
      expect(calls).toBe(15);
      expect(attempts).toBeLessThanOrEqual(4);
      expect(back_ms).toBeLessThanOrEqual(5000);
    },
  );

  test('breaker does as well where it knows nothing of the time before', () => {
    expect(outage(60_000, 4000, { warm: 0 })).toMatchObject({ calls: 15, attempts: 4 });
  });

  test.each([50, 100, 200])('breaker lets 4 of 15 quick calls through, each %i ms', (every_ms) => {
    const { calls, attempts } = outage(15 * every_ms, every_ms);
    expect(calls).toBe(15);
    expect(attempts).toBeLessThanOrEqual(4);
  });

  test('breaker of a busy target is back soon after an outage of any length', () => {
    const check = (outage_ms: number, every_ms: number) => {
      const { calls, attempts, back_ms } = outage(outage_ms, every_ms);
      expect(back_ms).toBeLessThanOrEqual(5000);
      expect(attempts).toBeLessThanOrEqual(4 + calls * 0.11);
    };
    const length = fc.integer({ min: 1000, max: 300_000 });
    fc.assert(fc.property(length, fc.integer({ min: 20, max: 400 }), check));
  });

  test('breaker of a target wanted each second is back in 5 s after any length of outage', () => {
    const check = (outage_ms: number, every_ms: number, offset_ms: number) => {
      const { calls, attempts, back_ms } = outage(outage_ms, every_ms, { offset_ms });
      expect(back_ms).toBeLessThanOrEqual(5000);
      expect(attempts).toBeLessThanOrEqual(4 + (calls * 4) / 15);
    };
    const length = fc.integer({ min: 5000, max: 600_000 });
    const every = fc.integer({ min: 100, max: 1000 });
    fc.assert(fc.property(length, every, fc.integer({ min: 0, max: 1000 }), check));
  });

  test('breaker of a quiet target costs no more, and finds it half a minute later at most', () => {
    const check = (outage_ms: number, every_ms: number) => {
      const { calls, attempts, back_ms } = outage(outage_ms, every_ms);
      expect(attempts).toBeLessThanOrEqual(4 + (calls * 4) / 15);
      expect(back_ms).toBeLessThanOrEqual(33_000 + every_ms);
    };
    const length = fc.integer({ min: 5000, max: 600_000 });
    fc.assert(fc.property(length, fc.integer({ min: 1000, max: 4000 }), check));
  });
});

describe('breaker', () => {
  test('breaker opens after failures in a row, and one success makes them begin anew', () => {
    const { breaker } = start();
    for (const well of [true, false, false, true, false, false]) call(breaker, well);
    expect(breaker.state).toBe('closed');
    call(breaker, false);
    expect(breaker.state).toBe('open');
    expect(breaker.failures).toBe(3);
  });

  test('breaker of a target that was well a moment ago takes it for a hiccup at first', () => {
    const { breaker, time } = start();
    for (const well of [true, false, false, false]) call(breaker, well);
    time.now_ms += 1000;
    expect(breaker.state).toBe('half-open');
    call(breaker, false);
    time.now_ms += 1000;
    expect(breaker.state).toBe('open');
    time.now_ms += 6500;
    expect(breaker.state).toBe('half-open');
  });

  test('breaker opens at a share of errors though none follow each other', async () => {
    const { breaker } = start({ ...POLICY, errors: 0.3 });
    for (let one = 0; one < 10; one += 1) {
      for (const well of [true, true, false, false]) call(breaker, well);
      await new Promise(setImmediate);
    }
    expect(breaker.state).not.toBe('closed');
  });

  test('breaker counts a stream that began well and was cut', () => {
    const { breaker, time } = start();
    for (let one = 0; one < 2; one += 1) {
      const verdict = breaker.enter(false);
      time.now_ms += 100;
      verdict?.say(false);
    }
    expect(breaker.state).toBe('open');
    time.now_ms += 7500;
    const probe = breaker.enter(false);
    probe?.say(true);
    expect(breaker.state).toBe('closed');
    probe?.say(false);
    expect(breaker.failures).toBe(1);
  });

  test('breaker has at most one probe under way, whatever happens', () => {
    const holds = (steps: readonly string[]) => {
      const { breaker, time, turns } = start();
      for (let one = 0; one < 3; one += 1) call(breaker, false);
      let probes: NonNullable<ReturnType<Breaker['enter']>>[] = [];
      const acts: Readonly<Record<string, () => void>> = {
        enter: () => {
          const probe = breaker.state === 'closed' ? null : breaker.enter(false);
          if (probe) probes.push(probe);
        },
        well: () => probes.shift()?.say(true),
        bad: () => probes.shift()?.say(false),
        nothing: () => probes.shift()?.nothing(),
        wait: () => {
          time.now_ms += 5000;
        },
        pass: () => breaker.passOver(),
      };
      for (const step of steps) {
        acts[step]?.();
        if (breaker.state === 'closed') probes = [];
        expect(probes.length).toBeLessThanOrEqual(1);
      }
      expect(turns.every((open, index) => open === (index % 2 === 0))).toBe(true);
    };
    const step = fc.constantFrom('enter', 'well', 'bad', 'nothing', 'wait', 'pass');
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), holds));
  });

  test('breaker keeps what it learned when it is tuned', () => {
    const { breaker, time } = start();
    for (let one = 0; one < 3; one += 1) call(breaker, false);
    breaker.tune({ ...POLICY, calls_min: 50 });
    expect(breaker.state).toBe('open');
    time.now_ms += 7500;
    expect(breaker.state).toBe('half-open');
    breaker.tune({ ...POLICY });
    call(breaker, true);
    expect(breaker.state).toBe('closed');
  });
});
