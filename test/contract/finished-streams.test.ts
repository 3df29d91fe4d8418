import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { anthropicAt } from '../gateway/snapshot.ts';
import { askRaw } from '../kit/raw-http.ts';
import { type RawReply, type RawUpstream, startRawUpstream } from '../kit/raw-upstream.ts';
import { until } from '../kit/until.ts';
import { CHAT, chatBody, dataOf, ONCE, serve } from './contract-kit.ts';

/** Upstreams that have finished an answer and do not end its stream. */

let upstream: RawUpstream;
let gateway: RunningGateway;
beforeAll(async () => {
  upstream = await startRawUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n';
const chunk = (choice: object | null, more: object = {}): string => {
  const choices = choice === null ? [] : [{ index: 0, finish_reason: null, ...choice }];
  return JSON.stringify({ id: 'c', created: 1, model: 'm', choices, ...more });
};
const said = chunk({ delta: { content: 'a' } });
const finished = chunk({ delta: {}, finish_reason: 'stop' });
const usage = chunk(null, { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } });
const events = (...all: readonly string[]): string =>
  all.map((data) => `data: ${data}\n\n`).join('');

const MESSAGE = [
  { type: 'message_start', message: { id: 'msg_1', model: 'm', content: [] } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
];
const named = (all: readonly { readonly type: string }[]): string =>
  all.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('');

/** The text, and then a sign of life for as long as anybody listens. */
const pinging =
  (text: string, ping: string): RawReply =>
  (socket) => {
    socket.write(HEAD + text);
    const timer = setInterval(() => socket.write(ping), 100);
    socket.once('close', () => clearInterval(timer));
  };

describe('4d a stream that has finished ends', () => {
  const brief = { timeouts: { idle_ms: 300, total_ms: 600_000 } };
  const PING = named([{ type: 'ping' }]);
  test.each([
    ['comments', CHAT, events(said, finished), ': ping\n\n'],
    ['chunks of nothing', CHAT, events(said, finished), events(chunk(null))],
    ['comments behind its usage', CHAT, events(said, finished, usage), ': ping\n\n'],
    ['pings', '/v1/messages', named(MESSAGE), PING],
    ['comments', '/v1/messages', named(MESSAGE), ': ping\n\n'],
  ])('whatever %s its upstream still sends (%s)', async (_what, path, text, ping) => {
    const provider = path === CHAT ? {} : { provider: anthropicAt(upstream.url) };
    const targets = { main: { url: upstream.url, ...provider } };
    gateway = await serve({ targets, resilience: ONCE, ...brief });
    upstream.reply(pinging(text, ping));
    const body = chatBody({ stream: true, max_tokens: 9 });
    const headers = { 'content-type': 'application/json' };
    const told = dataOf((await askRaw(gateway.port, { path, headers, body })).body);
    expect(told.at(-1)).toBe(path === CHAT ? '[DONE]' : '{"type":"message_stop"}');
    expect(await gateway.event()).toMatchObject({ outcome: 'ok', attempts: [{ outcome: 'ok' }] });
  });

  test('later where its client asked for usage that has not come', async () => {
    const timeouts = { idle_ms: 60_000, total_ms: 60_000 };
    gateway = await serve({ targets: { main: upstream.url }, resilience: ONCE, timeouts });
    // Usage comes when a stream that waits for none has been ended.
    const late: (() => void)[] = [];
    upstream.reply((socket) => {
      socket.write(HEAD + events(said, finished));
      late.push(() => socket.destroyed || socket.end(events(usage)));
    });
    const ask = async (more: object) => {
      const headers = { 'content-type': 'application/json' };
      const body = chatBody({ stream: true, ...more });
      return dataOf((await askRaw(gateway.port, { path: CHAT, headers, body })).body);
    };
    const both = async () => {
      const asking = ask({ stream_options: { include_usage: true } });
      expect(await ask({})).toEqual([said, finished, '[DONE]']);
      for (const send of late.splice(0)) send();
      return (await asking).includes(usage);
    };
    // Again where this process was stopped for so long that both had been ended.
    await until(both, { what: 'usage that is late', deadline_ms: 15_000 });
  });
});
