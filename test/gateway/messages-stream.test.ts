import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Plugin } from '../../src/core/plugin.ts';
import { type MessageEnd, message, startAnthropicUpstream } from '../kit/anthropic-upstream.ts';
import { until } from '../kit/until.ts';
import type { Upstream } from '../kit/upstream.ts';
import type { RunningGateway } from './gateway-kit.ts';
import { hello, type MessagesWorld, startMessages } from './messages-kit.ts';

let upstream: Upstream;
let gateway: RunningGateway;
let claude: Anthropic;
let post: MessagesWorld['post'];

beforeAll(async () => {
  upstream = await startAnthropicUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

const start = async (more: Parameters<typeof startMessages>[1] = {}) => {
  ({ gateway, claude, post } = await startMessages(upstream, more));
};
const eventsOf = (text: string) =>
  [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data]) => {
    const parsed = JSON.parse(data as string) as { type: string; error?: object };
    expect(parsed.type).toBe(name);
    return parsed;
  });

/** No end but the one that is asked for, however long this process is stopped meanwhile. */
const PATIENT = { first_token_ms: 60_000, idle_ms: 60_000, total_ms: 60_000 };

test.each<[MessageEnd, string]>([
  ['cut', 'api_error'],
  ['reset', 'api_error'],
  ['error', 'overloaded_error'],
  ['stall', 'timeout_error'],
])(
  'messages turns the end %s into an error event without message_stop',
  async (end, type) => {
    await start({ timeouts: end === 'stall' ? { ...PATIENT, idle_ms: 80 } : PATIENT });
    upstream.script(message('one two', { end }));
    const text = await (await post({ ...hello(), stream: true })).text();
    const events = eventsOf(text);
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { type } });
    expect(events.map((event) => event.type)).not.toContain('message_stop');
    expect(text).not.toContain('[DONE]');
    expect(await gateway.event()).toMatchObject({ outcome: 'error', served: 'main' });
    const broken = claude.messages.stream(hello()).finalMessage();
    await expect(broken).rejects.toThrow(Anthropic.APIError);
  },
  120_000,
);

test('messages adds message_stop to an answer that is complete without it', async () => {
  await start();
  upstream.script(message('one two', { end: 'no-stop' }));
  const text = await (await post({ ...hello(), stream: true })).text();
  expect(text.endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(true);
  expect(await gateway.event()).toMatchObject({ outcome: 'ok', finish: 'stop' });
});

test('messages lets plugins change events, whose names stay', async () => {
  const plugin: Plugin = {
    onChunk: (chunk) => (chunk.type === 'ping' ? null : { ...chunk, seen: true }),
  };
  await start({ plugins: [{ id: 'see', plugin }] });
  upstream.script(message('one two'));
  const text = await (await post({ ...hello(), stream: true })).text();
  const events = eventsOf(text) as { type: string; seen?: boolean }[];
  expect(events.map(({ type }) => type)).not.toContain('ping');
  expect(events.every(({ seen }) => seen)).toBe(true);
  expect(events.at(-1)?.type).toBe('message_stop');
});

test('messages gives the upstream up as soon as its client leaves', async () => {
  await start();
  upstream.script(message('one two', { end: 'stall' }));
  const stream = claude.messages.stream(hello());
  const ended = stream.done().catch((error: unknown) => error);
  await new Promise((resolve) => stream.once('text', resolve));
  stream.abort();
  await until(() => upstream.requests.at(-1)?.aborted, { what: 'the upstream to be let go' });
  expect(await gateway.event()).toMatchObject({ outcome: 'aborted' });
  expect(await ended).toBeInstanceOf(Anthropic.APIUserAbortError);
});
