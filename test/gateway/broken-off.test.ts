import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openRaw, parseAnswer, requestBytes } from '../kit/raw-http.ts';
import { until } from '../kit/until.ts';
import { stall, startUpstream, stream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot, type SnapshotSpec } from './snapshot.ts';

/** What a stop of ours leaves at its deadline: its clients are told, and it is nobody's failure. */

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async (resilience: SnapshotSpec['resilience'] = {}) => {
  const breaker = { errors: 0.1, calls_min: 1, open_ms: 60_000 };
  const spec = { targets: { main: upstream.url }, resilience: { breaker, ...resilience } };
  gateway = await startGateway(makeSnapshot(spec));
};
const stop = () => gateway.gateway.close({ deadline_ms: 20, quiet_ms: 0, handed_over: true });

/** Chunked, so that Node's server reads it and not the lane. */
const chunked = (text: string) =>
  new ReadableStream({
    start(feed) {
      feed.enqueue(Buffer.from(text));
      feed.close();
    },
  });

const bySelf = (body: string) => ({ body });
const byNode = (body: string) => ({ body: chunked(body), duplex: 'half' as const });
type Sent = (body: string) => RequestInit;

const post = (path: string, body: object, sent: Sent = bySelf) =>
  fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    ...sent(JSON.stringify(body)),
  });

async function expectBrokenOff(attempts: readonly object[]): Promise<void> {
  const event = await gateway.event();
  expect(event).toMatchObject({ outcome: 'rejected', arm_error: false });
  expect(event.attempts).toMatchObject(attempts);
}
const ASKED = [{ target: 'main', outcome: 'aborted' }];

/** A 503 that the SDKs ask again after, elsewhere: this process takes no connection any more. */
async function expectTold(answer: Response, dialect: 'openai' | 'anthropic'): Promise<void> {
  expect(answer.status).toBe(503);
  const { headers } = answer;
  expect([headers.get('retry-after'), headers.get('retry-after-ms')]).toEqual(['1', '1000']);
  expect([headers.get('connection'), headers.get('x-should-retry')]).toEqual(['close', null]);
  expect(headers.get('x-hive-call-id')).toMatch(/^call_/);
  expect(await answer.json()).toMatchObject(
    dialect === 'openai'
      ? { error: { type: 'server_error', code: 'not_ready', param: null } }
      : { type: 'error', error: { type: 'overloaded_error' }, request_id: expect.anything() },
  );
}

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';

test.each([
  ['a whole call', CHAT, 'the lane', bySelf, stall(), {}],
  ['a whole call', CHAT, 'Node’s server', byNode, stall(), {}],
  ['a whole call', MESSAGES, 'the lane', bySelf, stall('after-headers'), {}],
  ['a whole call', MESSAGES, 'Node’s server', byNode, stall(), {}],
  ['a stream without a token', CHAT, 'the lane', bySelf, stall(), { stream: true }],
  ['a stream without a token', MESSAGES, 'the lane', bySelf, stall(), { stream: true }],
] as const)('%s of %s in %s that our own stop breaks off is told', async (...given) => {
  const [, path, , sent, script, more] = given;
  await start();
  upstream.script(script);
  const known = upstream.calls.length;
  const answering = post(path, ask('hi', { max_tokens: 9, ...more }), sent);
  await until(() => upstream.calls[known], { what: 'the call' });
  const [answer] = await Promise.all([answering, stop()]);
  await expectTold(answer, path === CHAT ? 'openai' : 'anthropic');
  await until(() => upstream.calls[known]?.aborted, { what: 'the upstream to hear of it' });
  await expectBrokenOff(ASKED);
});

test('a held stream that our own stop breaks off is told', async () => {
  await start({ midstream: 'hold' });
  upstream.script(stream(['one '], { end: 'stall' }));
  const known = upstream.calls.length;
  const answering = post(CHAT, ask('hi', { stream: true }));
  await until(() => upstream.calls[known], { what: 'the call' });
  const [answer] = await Promise.all([answering, stop()]);
  await expectTold(answer, 'openai');
  await expectBrokenOff(ASKED);
});

test('a call in line that our own stop breaks off is told', async () => {
  await start({ overload: { in_flight: 1, queue_ms: 60_000 } });
  upstream.script(stall());
  const known = upstream.calls.length;
  const first = post(CHAT, ask());
  await until(() => upstream.calls[known], { what: 'the first call' });
  const second = post(CHAT, ask());
  const waiting = () => gateway.metrics.snapshot().hive_queue_waiting?.[0]?.value;
  await until(() => waiting() === 1, { what: 'a line' });
  await stop();
  await expectTold(await first, 'openai');
  await expectTold(await second, 'openai');
});

test('a stored response whose request our own stop breaks off is told of', async () => {
  await start();
  upstream.script(stall());
  const known = upstream.requests.length;
  const answering = fetch(`${gateway.url}/v1/responses/resp_1`);
  await until(() => upstream.requests[known], { what: 'the request' });
  const [answer] = await Promise.all([answering, stop()]);
  await expectTold(answer, 'openai');
});

test.each([
  ['the lane', 'content-length: 1000'],
  ['Node’s server', 'transfer-encoding: chunked'],
])('a request whose body is still to come in %s when we stop is told', async (_, length) => {
  await start();
  const [name = '', value = ''] = length.split(': ');
  const headers = { 'content-type': 'application/json', [name]: value };
  const head = requestBytes({ method: 'POST', path: CHAT, headers });
  const open = await openRaw(gateway.port, head);
  await until(() => gateway.gateway.callsOpen() === 1, { what: 'the call' });
  await stop();
  await open.closed;
  const answer = parseAnswer(open.bytes());
  expect([answer.status, answer.header('connection')]).toEqual([503, 'close']);
  expect(answer.header('retry-after')).toBe('1');
  expect(answer.json()).toMatchObject({ error: { code: 'not_ready' } });
});

const CHAT_END = /^data: \{"error":\{.*"code":"not_ready"\}\}\n\n$/m;
const MESSAGES_END = /^event: error\ndata: .*"type":"overloaded_error".*\n\n$/m;

test.each([
  [CHAT, 'the lane', bySelf, CHAT_END],
  [CHAT, 'Node’s server', byNode, CHAT_END],
  [MESSAGES, 'the lane', bySelf, MESSAGES_END],
  [MESSAGES, 'Node’s server', byNode, MESSAGES_END],
])('a stream of %s in %s that our own stop breaks off says so', async (path, _, sent, end) => {
  await start();
  upstream.script(stream(['one '], { end: 'stall' }));
  const begun = await post(path, ask('hi', { stream: true, max_tokens: 9 }), sent);
  await stop();
  const told = await begun.text();
  expect(told).toMatch(end);
  expect(told).not.toMatch(/\[DONE\]|message_stop/);
  await expectBrokenOff(ASKED);
});
