import { afterEach, expect, test } from 'vitest';
import { createCallDeps } from '../../../src/gateway/call-deps.ts';
import { TurnEnd } from '../../../src/gateway/clock/turn-end.ts';
import type { InboundRequest, OutboundResponse } from '../../../src/gateway/front/inbound.ts';
import { createFuses } from '../../../src/gateway/hooks/fuses.ts';
import { createRehearsals, type Rehearsals } from '../../../src/gateway/rehearsal/rehearsals.ts';
import { createRehearsalUpstream } from '../../../src/gateway/rehearsal/upstream.ts';
import type { Exchange } from '../../../src/gateway/respond.ts';
import { until } from '../../kit/until.ts';
import { startUpstream } from '../../kit/upstream.ts';
import { ask, gatewayDeps, startGateway } from '../gateway-kit.ts';
import { createHandClock } from '../hand-clock.ts';
import { makeSnapshot } from '../snapshot.ts';
import { rehearsed } from './rehearsed.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const snapshot = rehearsed();

/** Rehearsals beside calls that come when the test says so. */
function world(compile = () => snapshot, pressure = { high: false }) {
  const hand = createHandClock();
  const { deps, lines } = gatewayDeps(makeSnapshot({ targets: {} }), { rehearsed: compile });
  const turn = new TurnEnd();
  const upstream = createRehearsalUpstream(turn);
  const parts = {
    turn,
    upstream,
    fuses: createFuses(),
    onCallOver: () => {},
    brokeOff: () => false,
  };
  const callDeps = createCallDeps(deps, parts);
  const rehearsals: Rehearsals = createRehearsals(callDeps, pressure, hand.after);
  ends.push(() => rehearsals.close());
  const come = (what: Exchange | null) => () =>
    void rehearsals.before(() => what)({} as InboundRequest, {} as OutboundResponse);
  const [call, other] = [come(null), come({} as Exchange)];
  /** The calls, a rest before each, that it takes to know that they are seldom. */
  const callSeldom = (): void => {
    for (let nth = 0; nth < 3; nth += 1) {
      hand.advance(400);
      call();
    }
  };
  const count = () => deps.metrics.snapshot().hive_rehearsals_total?.[0]?.value ?? 0;
  return { hand, lines, call, callSeldom, other, count, rehearsals };
}

test('rehearsals follow a call for a third of a second, and then rest', () => {
  const { hand, call, callSeldom, count } = world();
  callSeldom();
  expect(count()).toBe(0);
  hand.advance(3);
  expect(count()).toBe(0);
  hand.advance(3);
  expect(count()).toBe(1);
  hand.advance(10_000);
  expect(count()).toBe(100);
  expect(hand.waiting()).toBe(0);

  call();
  hand.advance(6);
  expect(count()).toBe(101);
});

test('rehearsals are none where calls come without a rest', () => {
  const { hand, call, count } = world();
  for (let at = 0; at < 1000; at += 1) {
    call();
    hand.advance(2);
  }
  expect(count()).toBe(0);
});

test('rehearsals are none between crowds of calls, and some as soon as calls are seldom', () => {
  const { hand, call, callSeldom, count } = world();
  for (let crowd = 0; crowd < 20; crowd += 1) {
    for (let at = 0; at < 100; at += 1) {
      call();
      if (at % 5 === 0) hand.advance(1);
    }
    hand.advance(2000);
  }
  expect(count()).toBe(0);
  callSeldom();
  hand.advance(30);
  expect(count()).toBeGreaterThan(5);
});

test('rehearsals follow no request but a call', () => {
  const { hand, other, count } = world();
  other();
  hand.advance(1000);
  expect(count()).toBe(0);
});

test('rehearsals are none where memory is short', () => {
  const pressure = { high: true };
  const { hand, callSeldom, count } = world(() => snapshot, pressure);
  callSeldom();
  hand.advance(150);
  expect(count()).toBe(0);
  pressure.high = false;
  hand.advance(30);
  expect(count()).toBe(10);
});

test('rehearsals that cannot be set up are told of once, and calls go on', () => {
  const { hand, lines, call, count } = world(() => {
    throw new Error('no policy');
  });
  for (let at = 0; at < 5; at += 1) {
    call();
    hand.advance(2000);
  }
  expect(count()).toBe(0);
  expect(lines).toEqual([{ message: 'calls are not rehearsed', fields: { error: 'no policy' } }]);
});

test('rehearsals end with the gateway', () => {
  const { hand, call, callSeldom, count, rehearsals } = world();
  callSeldom();
  hand.advance(20);
  const before = count();
  rehearsals.close();
  call();
  hand.advance(5000);
  expect(count()).toBe(before);
});

test('gateway that rehearses counts, records and hands on its real calls only', async () => {
  const upstream = await startUpstream();
  ends.push(() => upstream.close());
  const gateway = await startGateway(makeSnapshot({ targets: { only: upstream.url } }), {
    rehearsed: () => snapshot,
  });
  ends.push(() => gateway.close());
  const { metrics } = gateway;
  const rehearsals = () => metrics.snapshot().hive_rehearsals_total?.[0]?.value ?? 0;

  // How long a call takes here decides how many of them count as seldom.
  let calls = 0;
  const called = async (): Promise<boolean> => {
    const answered = await gateway.post(ask());
    expect(answered.status).toBe(200);
    await answered.text();
    calls += 1;
    return rehearsals() >= 10;
  };
  await until(called, { what: 'ten rehearsals', every_ms: 20 });
  await gateway.event(calls);

  expect(gateway.events()).toHaveLength(calls);
  expect(upstream.requests).toHaveLength(calls);
  expect(metrics.snapshot().hive_calls_total).toMatchObject([{ value: calls }]);
  expect(gateway.gateway.callsOpen()).toBe(0);
  expect(gateway.lines).toEqual([]);
});
