import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answer, startUpstream, status, stream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { hello } from './messages-kit.ts';
import { anthropicAt, makeSnapshot } from './snapshot.ts';

const price = {
  input_usd: 3,
  output_usd: 15,
  cached_input_usd: 0.3,
  cache_write_usd: 3.75,
  cache_write_1h_usd: 6,
};

let openai: Upstream;
let claude: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [openai, claude] = await Promise.all([startUpstream(), startUpstream()]);
  const targets = {
    mini: { url: openai.url, price },
    sonnet: { provider: anthropicAt(claude.url), price },
    unpriced: openai.url,
  };
  gateway = await startGateway(makeSnapshot({ targets }));
});
afterAll(() => Promise.all([gateway.close(), openai.close(), claude.close()]));
afterEach(() => openai.script(answer('fine')));

/** The last event, once there is one more than before. */
async function recorded(call: () => Promise<Response>) {
  const known = gateway.events().length;
  const response = await call();
  const text = await response.text();
  return { response, text, event: await gateway.event(known + 1) };
}
const post = (body: object, target: string, path = '/v1/chat/completions') =>
  recorded(() =>
    fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hive-target': target },
      body: JSON.stringify(body),
    }),
  );

const usage = {
  prompt_tokens: 10_000,
  completion_tokens: 500,
  total_tokens: 10_500,
  prompt_tokens_details: { cached_tokens: 6000 },
};
const completion = {
  id: 'c1',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage,
};
const claudeUsage = {
  input_tokens: 1000,
  cache_read_input_tokens: 6000,
  cache_creation_input_tokens: 3000,
  cache_creation: { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 1000 },
  output_tokens: 500,
};
const message = {
  id: 'm1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: claudeUsage,
};
/** 1,000 plain, 6,000 read, 2,000 written for 5 minutes, 1,000 for an hour, 500 out. */
const CLAUDE_USD = 0.003 + 0.0018 + 0.0075 + 0.006 + 0.0075;

describe('the cost of a call', () => {
  test('cost of a chat completion counts cached tokens at their own price', async () => {
    openai.script(status(200, completion));
    const { event, response } = await post(ask(), 'mini');
    // 4,000 plain, 6,000 read, 500 out.
    expect(event.cost_usd).toBe(0.0213);
    expect(response.headers.get('x-hive-cost-usd')).toBe('0.0213');
    const [counted] = gateway.metrics.snapshot().hive_cost_usd_total ?? [];
    expect(counted).toMatchObject({ labels: ['mini'], value: 0.0213 });
  });

  test('cost of a chat stream is that of its last chunk’s usage', async () => {
    const ended = { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    const events = [ended, { id: 'c1', choices: [], usage }].map((one) => JSON.stringify(one));
    const raw = [...events, '[DONE]'].map((data) => `data: ${data}\n\n`).join('');
    openai.script(stream(['Hi', { raw }], { end: 'silent' }));
    const body = ask('hi', { stream: true, stream_options: { include_usage: false } });
    const { event, response } = await post(body, 'mini');
    expect(event.tokens).toMatchObject({ in: 10_000, cached: 6000, out: 500 });
    expect(event.cost_usd).toBe(0.0213);
    expect(response.headers.get('x-hive-cost-usd')).toBeNull();
  });

  test('cost of a message counts what was read from and written to each cache', async () => {
    claude.script(status(200, message));
    const { event } = await post(hello(), 'sonnet', '/v1/messages');
    expect(event.tokens).toEqual({
      in: 10_000,
      cached: 6000,
      written: 3000,
      written_1h: 1000,
      out: 500,
      estimated: false,
    });
    expect(event.cost_usd).toBeCloseTo(CLAUDE_USD, 15);
    expect(event.cost_usd).toBe(0.0258);
  });

  test('cost of a message’s stream is the same, and so is that of a chat made of one', async () => {
    const { usage: counted, ...begun } = message;
    const { output_tokens, ...counted_in } = counted;
    const events = [
      { type: 'message_start', message: { ...begun, content: [], usage: counted_in } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens } },
      { type: 'message_stop' },
    ];
    const raw = events
      .map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`)
      .join('');
    claude.script(stream([{ raw }], { end: 'silent' }));
    const own = await post({ ...hello(), stream: true }, 'sonnet', '/v1/messages');
    expect(own.event.cost_usd).toBe(0.0258);
    claude.script(stream([{ raw }], { end: 'silent' }));
    const translated = await post(ask('hi', { stream: true }), 'sonnet');
    expect(translated.event.cost_usd).toBe(0.0258);
    claude.script(status(200, message));
    expect((await post(ask(), 'sonnet')).event.cost_usd).toBe(0.0258);
  });

  test('cost is unknown of a target without a price, and where nobody answered', async () => {
    const { event, response } = await post(ask(), 'unpriced');
    expect(event.cost_usd).toBeNull();
    expect(response.headers.get('x-hive-cost-usd')).toBeNull();
    openai.script(status(400));
    expect((await post(ask(), 'mini')).event.cost_usd).toBeNull();
  });

  test('cost and speed of a target stand in its report', async () => {
    const limits = {
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '25',
    };
    openai.script(status(200, completion, limits));
    await post(ask(), 'mini');
    const lately = gateway.gateway.liveTargets().mini?.lately;
    expect(lately).toMatchObject({ headroom: 0.25, requests_left: 25, tokens_left: null });
    expect(lately?.cost_usd).toBeGreaterThan(0);
    expect(lately?.first_byte_ms.whole.small).toBeGreaterThan(0);
    expect(lately?.first_byte_ms.whole.large).toBeNull();
    expect(lately?.error_rate).toBeLessThan(0.5);
    expect(gateway.gateway.liveTargets().mini?.in_flight).toBe(0);
    openai.script(status(429, undefined, { 'retry-after': '30' }));
    await post(ask(), 'mini');
    expect(gateway.gateway.liveTargets().mini?.lately?.headroom).toBe(0);
  });
});
