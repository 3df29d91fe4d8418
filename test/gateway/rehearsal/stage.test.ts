import { expect, test } from 'vitest';
import { noPermits } from '../../../src/gateway/canary/permits.ts';
import { TurnEnd } from '../../../src/gateway/clock/turn-end.ts';
import { createStage } from '../../../src/gateway/rehearsal/stage.ts';
import { gatewayDeps } from '../gateway-kit.ts';
import { makeSnapshot } from '../snapshot.ts';
import { rehearsed } from './rehearsed.ts';

test('stage rehearses a whole call, and tells nobody of it', async () => {
  const observed: unknown[] = [];
  const { deps, bus, lines } = gatewayDeps(makeSnapshot({ targets: {} }), {
    permits: { ...noPermits, observeCall: (event) => void observed.push(event) },
    capture: {
      open: () => 1,
      take: (call) => void observed.push(call),
    },
  });
  const before = JSON.stringify(deps.metrics.snapshot());
  const stage = createStage(deps, rehearsed(), new TurnEnd());

  const answers = [await stage.rehearse(), await stage.rehearse(), await stage.rehearse()];
  stage.close();

  for (const answer of answers) {
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toContain('x-hive-target: rehearsal');
    expect(JSON.parse(body)).toMatchObject({ object: 'chat.completion' });
  }
  expect([bus.records, lines, observed]).toEqual([[], [], []]);
  expect(JSON.stringify(deps.metrics.snapshot())).toBe(before);
  expect(deps.recent.find({ tenant: 'default', agent: 'default', policy_ms: 0 })).toBeNull();
});
