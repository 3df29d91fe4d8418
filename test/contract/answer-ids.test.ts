import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { noPermits } from '../../src/gateway/canary/permits.ts';
import { createRecentCalls } from '../../src/gateway/conversation/recent.ts';
import { createFeedback } from '../../src/gateway/feedback/feedback.ts';
import { smallPolicy } from '../core/policy.ts';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { createMemoryBus } from '../gateway/memory-bus.ts';
import { anthropicAt } from '../gateway/snapshot.ts';
import { message, startAnthropicUpstream } from '../kit/anthropic-upstream.ts';
import { askRaw } from '../kit/raw-http.ts';
import { answer, type Exchange, startUpstream, type Upstream } from '../kit/upstream.ts';
import { chatBody, serve } from './contract-kit.ts';

let openai: Upstream;
let claude: Upstream;
let gateway: RunningGateway;
beforeAll(async () => {
  [openai, claude] = await Promise.all([
    startUpstream(answer('two words')),
    startAnthropicUpstream(message('two words')),
  ]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([openai.close(), claude.close()]));

/** A gateway whose feedback knows its calls, as in the product. */
const start = async () => {
  const clock = createClock({ origin_ms: 1_700_000_000_000, scale: 1 });
  const bus = createMemoryBus();
  const recent = createRecentCalls({ max: 100, policy_ms: () => clock.policy_ms() });
  const feedback = createFeedback({
    clock,
    bus,
    recent,
    log: silentLog,
    metrics: createMetrics(),
    permits: noPermits,
    secret: new Uint8Array(32).fill(7),
    policy: () => smallPolicy,
  });
  const targets = { gpt: openai.url, claude: { provider: anthropicAt(claude.url) } };
  const given = { bus, recent, feedbackRoutes: feedback.app };
  gateway = await serve({ targets }, given);
  return bus;
};

const ask = async (path: string, target: string, stream: boolean) => {
  const got = await askRaw(gateway.port, {
    path,
    headers: { 'content-type': 'application/json', 'x-hive-target': target },
    body: chatBody({ max_tokens: 9, stream }),
  });
  const ids = [...got.body.toString().matchAll(/"id":\s*"([^"]*)"/g)].map(([, id]) => id ?? '');
  return { ids: [...new Set(ids)], call: got.header('x-hive-call-id') ?? '' };
};

/** As Gemini's compatible endpoint once answered: neither it nor its calls of tools have an id. */
const nameless = ({ request, response }: Exchange): void => {
  const call = (name: string) => ({
    type: 'function',
    function: { name, arguments: '{"n":90071992547409931}' },
  });
  const message = { role: 'assistant', content: 'two', tool_calls: [call('a'), call('b')] };
  const choice = { index: 0, finish_reason: 'tool_calls' };
  const rest = { object: 'chat.completion', created: 1, model: 'gemini' };
  const send = (given: object) => JSON.stringify({ ...rest, choices: [{ ...choice, ...given }] });
  if (request.body.stream !== true) {
    response.setHeader('content-type', 'application/json').end(send({ message }));
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  const opening = send({ delta: { role: 'assistant', content: 'two' }, finish_reason: null });
  response.write(`data: ${opening}\n\n`);
  response.end(`data: ${send({ delta: { tool_calls: message.tool_calls } })}\n\ndata: [DONE]\n\n`);
};

/** As a host that speaks Anthropic's dialect in part. */
const namelessMessage = ({ request, response }: Exchange): void => {
  const message = { type: 'message', role: 'assistant', model: 'm', stop_reason: 'end_turn' };
  const content = [{ type: 'text', text: 'two' }];
  const usage = { input_tokens: 1, output_tokens: 1 };
  if (request.body.stream !== true) {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...message, content, usage }));
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  const event = (type: string, more: object = {}) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  event('message_start', { message: { ...message, stop_reason: null, content: [], usage } });
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'two' } });
  event('content_block_stop', { index: 0 });
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage });
  event('message_stop');
  response.end();
};

describe.each([false, true])('an answer’s id (streamed: %s)', (stream) => {
  test.each([
    ['/v1/messages', 'gpt', /^msg_\d+$/],
    ['/v1/messages', 'claude', /^msg_\d+$/],
    ['/v1/chat/completions', 'claude', /^chatcmpl-\d+$/],
    ['/v1/chat/completions', 'gpt', /^chatcmpl-\d+$/],
  ])(
    'at %s of %s is of the client’s dialect, and known by feedback',
    async (path, target, form) => {
      openai.script(answer('two words'));
      claude.script(message('two words'));
      const bus = await start();
      const { ids, call } = await ask(path, target, stream);
      expect(ids).toHaveLength(1);
      const [id = ''] = ids;
      expect(id).toMatch(form);
      const calls = () => bus.records.filter(({ type }) => type === 'call');
      await expect.poll(() => calls().length).toBe(1);
      expect(calls()[0]).toMatchObject({ id: call, completion_id: id });
      const rated = await askRaw(gateway.port, {
        path: '/feedback',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ completion_id: id, rating: 5 }),
      });
      expect([rated.status, rated.json()]).toMatchObject([202, { matched: 'call' }]);
      expect(bus.records.at(-1)).toMatchObject({ type: 'feedback', call });
    },
  );

  test.each([
    ['/v1/messages', 'gpt', 'msg_'],
    ['/v1/chat/completions', 'claude', 'chatcmpl-'],
  ])('at %s is made of the call’s own where %s sent none', async (path, target, mark) => {
    openai.script(nameless);
    claude.script(namelessMessage);
    const bus = await start();
    const { ids, call } = await ask(path, target, stream);
    const digits = call.replace('call_', '').replaceAll('-', '');
    const own = `${mark}${digits}`;
    expect(ids[0]).toBe(own);
    const calls = () => bus.records.filter(({ type }) => type === 'call');
    await expect.poll(() => calls().length).toBe(1);
    expect(calls()[0]).toMatchObject({ id: call, completion_id: own });
    const tools = [0, 1].map((at) => `toolu_${digits}_${at}`);
    expect(ids.slice(1)).toEqual(target === 'gpt' ? tools : []);
  });

  test.each([
    ['/v1/messages', 'claude'],
    ['/v1/chat/completions', 'gpt'],
  ])('at %s stays away where %s sent none and nothing is translated', async (path, target) => {
    openai.script(nameless);
    claude.script(namelessMessage);
    await start();
    expect((await ask(path, target, stream)).ids).toEqual([]);
  });
});
