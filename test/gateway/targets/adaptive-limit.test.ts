import { expect, test } from 'vitest';
import {
  AdaptiveLimit,
  LIMIT_MIN,
  LIMIT_START,
} from '../../../src/gateway/targets/adaptive-limit.ts';

interface Upstream {
  readonly capacity: number;
  readonly offered: number;
  readonly windows: number;
  readonly service_ms?: number;
}

/**
 * An upstream that answers `capacity` calls at a time, each in `service_ms`, and lets the others
 * wait: with so many in hand a first byte takes their share of turns.
 */
const runAgainst = (
  limit: AdaptiveLimit,
  { capacity, offered, windows, service_ms = 100 }: Upstream,
  clock: { now_ms: number },
) => {
  for (let window = 0; window < windows; window += 1) {
    const waiting = Math.min(offered, limit.limit);
    const first_ms = service_ms * Math.max(1, waiting / capacity);
    for (let sample = 0; sample < 20; sample += 1) {
      clock.now_ms += 30;
      limit.observe('stream', first_ms, waiting, clock.now_ms);
    }
  }
};

test('adaptive limit falls where first bytes get slow, to about what the upstream can do', () => {
  const limit = new AdaptiveLimit();
  const clock = { now_ms: 0 };
  runAgainst(limit, { capacity: 100, offered: 80, windows: 20 }, clock);
  expect(limit.limit).toBe(LIMIT_START);
  runAgainst(limit, { capacity: 100, offered: 3000, windows: 40 }, clock);
  expect(limit.limit).toBeGreaterThan(90);
  expect(limit.limit).toBeLessThan(250);
  // For ten minutes: nobody gets used to it.
  runAgainst(limit, { capacity: 100, offered: 3000, windows: 1000 }, clock);
  expect(limit.limit).toBeLessThan(250);
});

test('adaptive limit takes a model that became slower for what is usual now', () => {
  const limit = new AdaptiveLimit();
  const clock = { now_ms: 0 };
  runAgainst(limit, { capacity: 400, offered: 300, windows: 20 }, clock);
  runAgainst(limit, { capacity: 400, offered: 3000, windows: 10, service_ms: 2000 }, clock);
  expect(limit.limit).toBeLessThan(200);
  runAgainst(limit, { capacity: 400, offered: 300, windows: 400, service_ms: 2000 }, clock);
  expect(limit.limit).toBeGreaterThan(300);
});

test('adaptive limit grows while it is in use and nothing gets slow', () => {
  const limit = new AdaptiveLimit();
  runAgainst(limit, { capacity: 10_000, offered: 5000, windows: 40 }, { now_ms: 0 });
  expect(limit.limit).toBeGreaterThan(2000);
});

test('adaptive limit stays where few calls wait, however slow they are', () => {
  const limit = new AdaptiveLimit();
  const clock = { now_ms: 0 };
  runAgainst(limit, { capacity: 100, offered: 50, windows: 5 }, clock);
  runAgainst(limit, { capacity: 1, offered: 50, windows: 40 }, clock);
  expect(limit.limit).toBe(LIMIT_START);
});

test('adaptive limit comes back when the upstream does', () => {
  const limit = new AdaptiveLimit();
  const clock = { now_ms: 0 };
  runAgainst(limit, { capacity: 100, offered: 80, windows: 20 }, clock);
  runAgainst(limit, { capacity: 2, offered: 3000, windows: 40 }, clock);
  expect(limit.limit).toBeGreaterThanOrEqual(LIMIT_MIN);
  const low = limit.limit;
  expect(low).toBeLessThan(100);
  runAgainst(limit, { capacity: 400, offered: 3000, windows: 60 }, clock);
  expect(limit.limit).toBeGreaterThan(2 * low);
});

test('adaptive limit has a yardstick for streams and one for whole answers', () => {
  const limit = new AdaptiveLimit();
  let now_ms = 0;
  for (let sample = 0; sample < 400; sample += 1) {
    now_ms += 20;
    const kind = sample % 2 === 0 ? 'stream' : 'whole';
    limit.observe(kind, kind === 'stream' ? 100 : 20_000, 900, now_ms);
  }
  expect(limit.usual('stream')).toBeCloseTo(100);
  expect(limit.usual('whole')).toBeCloseTo(20_000);
  expect(limit.limit).toBeGreaterThanOrEqual(LIMIT_START);
});
