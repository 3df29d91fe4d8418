import { describe, expect, test } from 'vitest';
import { createRecentCalls, SESSION_WITHIN_MS } from '../../../src/gateway/conversation/recent.ts';
import { digestTurns } from '../../../src/gateway/conversation/turn-digests.ts';
import { callEvent } from '../call-event.ts';

function memory(max = 100) {
  const time = { now_ms: 0 };
  return { time, recent: createRecentCalls({ max, policy_ms: () => time.now_ms }) };
}

const here = { tenant: 'default', key: 'open', policy_ms: 0 };

describe('recent calls', () => {
  test('find knows a call by each of its names, and only within its tenant', () => {
    const { recent } = memory();
    const names = { request_id: 'req', completion_id: 'cmpl', session: 'hs' };
    const arm = { experiment: 'exp_1', arm: 'canary' };
    recent.remember(callEvent({ id: 'call_a', at_ms: 5, ...names, ...arm, served: 'main' }));
    const found = { id: 'call_a', at_ms: 5, agent: 'helper', ...arm, served: 'main' };
    const { session, ...exact } = names;
    for (const name of [{ call: 'call_a' }, { session }, { agent: 'helper' }]) {
      expect(recent.find({ ...here, ...name })).toMatchObject(found);
      expect(recent.find({ ...here, ...name, tenant: 'other' })).toBeNull();
    }
    for (const [name, value] of Object.entries(exact)) {
      expect(recent.find({ ...here, [name]: value })).toMatchObject(found);
      expect(recent.find({ ...here, [name]: value, tenant: 'other' })).toBeNull();
      expect(recent.find({ ...here, [name]: `${value}x` })).toBeNull();
    }
    expect(recent.find(here)).toBeNull();
  });

  test('find takes the session’s newest finished call of the agent and key, for 30 minutes', () => {
    const { recent, time } = memory();
    recent.remember(callEvent({ id: 'call_a', session: 'hs', agent: 'helper' }));
    recent.remember(callEvent({ id: 'call_b', session: 'hs', agent: 'other' }));
    recent.remember(callEvent({ id: 'call_c', session: 'hs', agent: 'other', key: 'k2' }));
    time.now_ms = 10;
    const bySession = { ...here, session: 'hs' };
    expect(recent.find(bySession)?.id).toBe('call_b');
    expect(recent.find({ ...bySession, agent: 'helper' })?.id).toBe('call_a');
    expect(recent.find({ ...bySession, key: 'k2' })?.id).toBe('call_c');
    expect(recent.find({ ...bySession, agent: 'none' })).toBeNull();
    expect(recent.find({ ...bySession, policy_ms: SESSION_WITHIN_MS })?.id).toBe('call_b');
    expect(recent.find({ ...bySession, policy_ms: SESSION_WITHIN_MS + 1 })).toBeNull();
  });

  test('remember forgets the oldest call, and calls without a session do not revive it', () => {
    const { recent } = memory(3);
    recent.remember(callEvent({ id: 'call_0', session: 'hs' }));
    for (const id of ['call_1', 'call_2', 'call_3']) recent.remember(callEvent({ id }));
    expect(recent.find({ ...here, call: 'call_0' })).toBeNull();
    expect(recent.find({ ...here, session: 'hs' })).toBeNull();
    expect(recent.find({ ...here, call: 'call_1' })?.id).toBe('call_1');
  });

  test('remember closes the call that a later one regenerates', () => {
    const { recent } = memory();
    const asked = { unit: 's:one', retry_count: 0, policy_ms: 0, turns: digestTurns(['a']) };
    const { place } = recent.relate({ ...asked, call: 'call_a' });
    recent.remember(callEvent({ id: 'call_a', outcome: 'ok' }), place);
    expect(recent.relate({ ...asked, call: 'call_b' })).toMatchObject({
      parent: 'call_a',
      relation: 'regeneration',
    });
  });
});
