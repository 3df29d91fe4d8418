import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { hashIdentity } from '../../src/gateway/conversation/identity.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async () => {
  const agents = { default: {}, helper: {} };
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, agents }));
};
const hashed = (value: string) => hashIdentity(Buffer.alloc(32, 7), 'default', value);
let calls = 0;
const eventOf = async (body: unknown, headers: Record<string, string> = {}) => {
  calls = gateway.events().length;
  await gateway.post(body, headers);
  return gateway.event(calls + 1);
};

test.each([
  ['x-user-id', { user: 'b' }, { 'x-user-id': 'a' }, 'a'],
  ['safety_identifier', { safety_identifier: 'a', user: 'b' }, {}, 'a'],
  ['user', { user: 'a', metadata: { user_id: 'b' } }, {}, 'a'],
  ['metadata.user_id', { metadata: { user_id: 'a' } }, {}, 'a'],
])('the user is taken from %s', async (_name, more, headers, user) => {
  await start();
  const event = await eventOf(ask('hi', more), headers as Record<string, string>);
  expect(event.user).toBe(hashed(user));
  expect(event.unit).toBe(`u:${hashed(user)}`);
});

test('the unit is the session where there is no user', async () => {
  await start();
  const fromHeader = await eventOf(ask(), { 'x-session-id': 's' });
  const fromBody = await eventOf(ask('hi', { metadata: { session_id: 's' } }));
  expect(fromHeader.unit).toBe(`s:${hashed('s')}`);
  expect(fromBody.session).toBe(fromHeader.session);
});

test('the unit is the conversation where nobody is named, and stays so as it grows', async () => {
  await start();
  const system = { role: 'system', content: 'Be kind.' };
  const turn = [system, { role: 'user', content: 'hi' }];
  const later = [...turn, { role: 'assistant', content: 'yo' }, { role: 'user', content: 'go on' }];
  const first = await eventOf(ask('', { messages: turn }));
  const second = await eventOf(ask('', { messages: later }));
  const other = await eventOf(ask('', { messages: [system, { role: 'user', content: 'ho' }] }));
  expect(first.unit).toMatch(/^c:/);
  expect(second.unit).toBe(first.unit);
  expect(other.unit).not.toBe(first.unit);
  expect(second).toMatchObject({ parent: first.id, relation: 'turn' });
});

test('the unit is the request where there is not even a question', async () => {
  await start();
  const event = await eventOf(ask('', { messages: [] }));
  expect(event.unit).toBe(`r:${event.id}`);
});

test('the agent is x-agent-id, else the one that model names, else default', async () => {
  await start();
  expect((await eventOf(ask(), { 'x-agent-id': 'helper' })).agent).toBe('helper');
  expect((await eventOf(ask('hi', { model: 'helper' }))).agent).toBe('helper');
  expect((await eventOf(ask('hi', { model: 'main' }))).agent).toBe('default');
});

test('a repeated try of the client is recorded as a retry', async () => {
  await start();
  const first = await eventOf(ask('again', { user: 'a' }));
  const second = await eventOf(ask('again', { user: 'a' }), { 'x-stainless-retry-count': '1' });
  expect(second).toMatchObject({ relation: 'retry', parent: first.id });
});

test('hashIdentity keeps tenants and secrets apart', () => {
  const secret = Buffer.alloc(32, 1);
  const hashes = [
    hashIdentity(secret, 'a', 'bc'),
    hashIdentity(secret, 'ab', 'c'),
    hashIdentity(Buffer.alloc(32, 2), 'a', 'bc'),
  ];
  expect(new Set(hashes).size).toBe(3);
  expect(hashIdentity(secret, 'a', 'bc')).toBe(hashes[0]);
});
