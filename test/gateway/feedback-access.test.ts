import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashIdentity } from '../../src/gateway/conversation/identity.ts';
import { smallPolicy } from '../core/policy.ts';
import { callEvent } from './call-event.ts';
import { world } from './feedback-world.ts';

const entry = { tenant: 'acme', agents: null, asserts: [] };
const policy = {
  ...smallPolicy,
  access: {
    mode: 'keys' as const,
    keys: {
      [hash('sha256', 'sk-app', 'hex')]: { ...entry, name: 'app' },
      [hash('sha256', 'sk-one', 'hex')]: { ...entry, name: 'one', agents: ['helper'] },
    },
  },
};
const routes = ['/feedback', '/api/v1/feedback/collect'];
const body = { call_id: 'call_a', session_id: 's', rating: 4, explicit: { rating: 4 } };

test('feedback needs a key where calls do, and without one leaves no trace', async () => {
  const { post, events } = world({ policy });
  for (const route of routes) {
    for (const headers of [undefined, { authorization: 'Bearer sk-wrong' }]) {
      const refused = await post(route, body, headers);
      expect([refused.status, await refused.json()]).toMatchObject([
        401,
        { error: { type: 'authentication_error', code: 'unauthorized' } },
      ]);
    }
    // Before the body is read: what is wrong with it is nobody's business.
    expect((await post(route, 'no json')).status).toBe(401);
  }
  expect(events()).toEqual([]);
});

test('feedback is of its key’s tenant and finds that tenant’s calls only', async () => {
  const { post, events, recent } = world({ policy });
  recent.remember(callEvent({ id: 'call_a', tenant: 'acme' }));
  recent.remember(callEvent({ id: 'call_b', tenant: 'default' }));
  const headers = { 'x-api-key': 'sk-app', 'x-user-id': 'ann' };
  const mine = await post('/feedback', { ...body, user: 'ann' }, headers);
  expect([mine.status, await mine.json()]).toMatchObject([202, { matched: 'call' }]);
  const theirs = await post('/feedback', { ...body, call_id: 'call_b' }, headers);
  expect(await theirs.json()).toMatchObject({ matched: 'pending' });
  const ann = hashIdentity(new Uint8Array(32).fill(7), 'acme', 'ann');
  expect(events()[0]).toMatchObject({ tenant: 'acme', key: 'app', rater: `u:${ann}` });
});

test('feedback on an agent that the key may not use is refused', async () => {
  const { post, events } = world({ policy });
  const headers = { authorization: 'Bearer sk-one' };
  const refused = await post('/feedback', { agent_id: 'other', rating: 4 }, headers);
  expect([refused.status, await refused.json()]).toMatchObject([
    403,
    { error: { code: 'forbidden' } },
  ]);
  expect((await post('/feedback', { agent_id: 'helper', rating: 4 }, headers)).status).toBe(202);
  expect(events()).toHaveLength(1);
});
