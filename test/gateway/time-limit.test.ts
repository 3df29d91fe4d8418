import { expect, test } from 'vitest';
import { timeLimit } from '../../src/gateway/time-limit.ts';

const limit = (timeout_ms: number | null) =>
  timeLimit({ timeout_ms }, { started_ms: 1000 }, { timeouts: { total_ms: 500 } });

test('a call may take as long as the policy says, and is late for its target too', () => {
  for (const timeout_ms of [null, 500, 60_000]) {
    expect(limit(timeout_ms)).toMatchObject({ deadline_ms: 1500, late: { counts: true } });
  }
});

test('a call whose client waits less long is late by its client, which opens no breaker', () => {
  expect(limit(20)).toMatchObject({ deadline_ms: 1020, late: { counts: false } });
  expect(limit(0)).toMatchObject({ deadline_ms: 1000, late: { code: 'upstream_timeout' } });
});
