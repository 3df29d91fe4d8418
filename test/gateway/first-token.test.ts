import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { message, startAnthropicUpstream } from '../kit/anthropic-upstream.ts';
import { openAiEndpoints } from '../kit/openai-endpoints.ts';
import { askRaw } from '../kit/raw-http.ts';
import {
  answer,
  type Behaviour,
  type StreamEnd,
  startUpstream,
  stream,
  type Upstream,
} from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { anthropicAt, makeSnapshot, openAiAt, type SnapshotSpec } from './snapshot.ts';

/**
 * Until the first token a stream may fall over unseen, whatever its upstream has sent: nothing of
 * it has reached the client.
 */
let primary: Upstream;
let backup: Upstream;
let claude: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [primary, backup, claude] = await Promise.all([
    startUpstream(),
    startUpstream(),
    startAnthropicUpstream(),
  ]);
});
beforeEach(() => {
  backup.script(answer('from the backup'));
  claude.script(message('from the backup'));
});
afterEach(() => gateway?.close());
afterAll(() => Promise.all([primary.close(), backup.close(), claude.close()]));

const event = (data: object, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
const named = (data: { readonly type: string }) => event(data, data.type);
const chunk = (delta: object, more: object = {}): string => {
  const choices = [{ index: 0, delta, finish_reason: null, ...more }];
  return event({ id: 'lost', object: 'chat.completion.chunk', created: 1, model: 'm', choices });
};
const ROLE = chunk({ role: 'assistant', content: '', refusal: null });
const FILTERS = event({ id: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] });
const CHAT_HEAD = `: hello\n\n${FILTERS}${ROLE}: still here\n\n`;
const usage = { input_tokens: 11, output_tokens: 1 };
const opening = { id: 'lost', type: 'message', role: 'assistant', model: 'm', content: [], usage };
const MESSAGES_HEAD = [
  named({ type: 'message_start', message: opening } as never),
  named({
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'text', text: '' },
  } as never),
  named({ type: 'ping' }),
].join('');
const response = { id: 'lost', status: 'in_progress', output: [] };
const RESPONSES_HEAD = ['created', 'in_progress']
  .map((what, sequence_number) =>
    named({ type: `response.${what}`, response, sequence_number } as never),
  )
  .join('');
const OVERLOADED = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };

const start = async (more: Partial<SnapshotSpec> = {}) => {
  const targets = { primary: primary.url, backup: backup.url };
  gateway = await startGateway(makeSnapshot({ targets, ...more }));
};
/** What one call comes to, and how often each upstream was asked for it. */
const call = async (script: Behaviour | readonly Behaviour[], path = '/v1/chat/completions') => {
  primary.script(script);
  const asked = () => [primary, backup, claude].map(({ requests }) => requests.length);
  const before = asked();
  const more = path.endsWith('messages') ? { max_tokens: 9 } : { input: 'hi' };
  const body = JSON.stringify({ ...ask('hi', { stream: true }), ...more });
  const headers = { 'content-type': 'application/json' };
  const got = await askRaw(gateway.port, { path, headers, body });
  const text = got.body.toString();
  return {
    status: got.status,
    header: (name: string) => got.header(name),
    text,
    asked: asked().map((n, at) => n - (before[at] ?? 0)),
  };
};
const ended = (head: string, end: StreamEnd, last = ''): Behaviour =>
  stream([{ raw: head }, { raw: last || ': and\n\n' }], {
    end,
    headers: { 'x-ratelimit-limit-requests': '7' },
  });

const ENDS: readonly (readonly [string, StreamEnd, string])[] = [
  ['is reset', 'reset', ''],
  ['is cut', 'cut', ''],
  ['ends', 'silent', ''],
  ['falls silent', 'stall', ''],
  ['sends no JSON', 'stall', 'data: {"cho\n\n'],
];

describe('a stream without a token yet', () => {
  /** Of the one that is to be late: a busy machine must not make the others late. */
  const SHORT = { first_token_ms: 150 };

  test.each([
    ...ENDS,
    ['reports an error', 'stall', event({ error: { message: 'no', code: 503 } })] as const,
  ])('that %s is answered by the next target, unseen', async (_what, end, last) => {
    await start({
      targets: { primary: { url: primary.url, timeouts: SHORT }, backup: backup.url },
    });
    const got = await call(ended(CHAT_HEAD, end, last));
    expect(got).toMatchObject({ status: 200, asked: [1, 1, 0] });
    expect(got.text).toContain('from ');
    expect(got.text).toMatch(/\[DONE\]\n\n$/);
    expect(got.text).not.toContain('lost');
    expect(got.text).not.toContain('error');
    expect(got.header('x-hive-target')).toBe('backup');
    expect(got.header('x-ratelimit-limit-requests')).toBeNull();
    expect(got.header('x-hive-attempts')).toBe('2');
  });

  const claudeTargets = () => ({
    primary: { provider: anthropicAt(primary.url), timeouts: SHORT },
    backup: { provider: anthropicAt(claude.url) },
  });

  test.each([...ENDS, ['reports an overload', 'stall', named(OVERLOADED)] as const])(
    'that %s falls over in Anthropic’s dialect, relayed and translated',
    async (_what, end, last) => {
      await start({ targets: claudeTargets() });
      for (const path of ['/v1/messages', '/v1/chat/completions']) {
        const got = await call(ended(MESSAGES_HEAD, end, last), path);
        expect(got).toMatchObject({ status: 200, asked: [1, 0, 1] });
        expect(got.text).toContain('backup');
        expect(got.text).not.toContain('lost');
        expect(got.header('x-hive-target')).toBe('backup');
      }
    },
  );

  test('falls over from one dialect to another', async () => {
    const targets = {
      primary: { provider: openAiAt(primary.url) },
      backup: { provider: anthropicAt(claude.url) },
    };
    await start({ targets });
    for (const path of ['/v1/messages', '/v1/chat/completions']) {
      const got = await call(ended(CHAT_HEAD, 'reset'), path);
      expect(got).toMatchObject({ status: 200, asked: [1, 0, 1] });
      expect(got.text).not.toContain('lost');
      expect(got.text.match(/"role":"assistant"/g)).toHaveLength(1);
    }
  });

  test.each([
    ['is cut', 'cut', ''],
    [
      'fails',
      'stall',
      named({
        type: 'response.failed',
        response: { error: { code: 'server_error', message: 'no' } },
      } as never),
    ],
    [
      'reports an error',
      'stall',
      named({ type: 'error', code: 'server_error', message: 'no' } as never),
    ],
  ] as const)('of a response that %s falls over', async (_what, end, last) => {
    await start();
    backup.script(openAiEndpoints());
    const got = await call(ended(RESPONSES_HEAD, end, last), '/v1/responses');
    expect(got).toMatchObject({ status: 200, asked: [1, 1, 0] });
    expect(got.text).toContain('response.completed');
    expect(got.text).not.toContain('lost');
  });

  test('is asked again where there is nobody else, and counts as a failure', async () => {
    const breaker = { failures: 2, open_ms: 60_000 };
    await start({ targets: { primary: primary.url }, resilience: { breaker } });
    const again = await call([ended(CHAT_HEAD, 'reset'), answer('now')]);
    expect(again).toMatchObject({ status: 200, asked: [2, 0, 0] });
    expect(gateway.gateway.liveTargets().primary?.breaker).toBe('closed');
    await call(ended(CHAT_HEAD, 'reset'));
    expect(gateway.gateway.liveTargets().primary?.breaker).toBe('open');
  });

  test('that reports a rate limit leaves its target alone, and opens no breaker', async () => {
    await start({ resilience: { retry: { backoff_ms: [10_000, 20_000] } } });
    const limit = event({ error: { message: 'slow', type: 'rate_limit_error', code: '429' } });
    expect(await call(ended(ROLE, 'stall', limit))).toMatchObject({
      status: 200,
      asked: [1, 1, 0],
    });
    const { breaker, limited } = gateway.gateway.liveTargets().primary ?? {};
    expect({ breaker, limited }).toEqual({ breaker: 'closed', limited: true });
  });

  test('costs what it reported, though nobody saw it', async () => {
    await start({ targets: claudeTargets() });
    await call(ended(MESSAGES_HEAD, 'reset'), '/v1/messages');
    const [lost, served] = (await gateway.event()).attempts;
    expect(lost).toMatchObject({ target: 'primary', outcome: 'error', tokens: { in: 11, out: 1 } });
    expect(served).toMatchObject({ target: 'backup', outcome: 'ok' });
  });

  test('of all targets is an error with a status, in the words of who explained it', async () => {
    await start({ targets: claudeTargets() });
    claude.script(ended(MESSAGES_HEAD, 'cut'));
    const got = await call(ended(MESSAGES_HEAD, 'stall', named(OVERLOADED)), '/v1/messages');
    expect(got.status).toBe(529);
    expect(JSON.parse(got.text)).toMatchObject({
      error: { type: 'overloaded_error', message: 'Overloaded' },
    });
    expect(got.header('content-type')).toBe('application/json');
    expect(got.header('x-hive-target')).toBe('primary');
  });

  test('is hedged like one without a byte', async () => {
    await start({ resilience: { hedge: { after_ms: 40 } } });
    const got = await call(ended(CHAT_HEAD, 'stall'));
    expect(got).toMatchObject({ status: 200, asked: [1, 1, 0] });
    expect(got.header('x-hive-target')).toBe('backup');
  });

  test('stays within the retry budget', async () => {
    await start({ resilience: { retry: { retries: 2, budget: 0 } } });
    const got = await call(ended(CHAT_HEAD, 'reset'));
    expect(got).toMatchObject({ status: 502, asked: [1, 0, 0] });
  });
});

describe('the first token', () => {
  test('sends on what was held, as it came, and the rest', async () => {
    await start();
    const end = chunk({}, { finish_reason: 'stop' });
    const rest = `${chunk({ content: 'one' })}: late\n\n${end}data: [DONE]\n\n`;
    const got = await call(
      stream([{ raw: CHAT_HEAD }, { raw: rest }], { end: 'silent', delay_ms: 20 }),
    );
    expect(got.text).toBe(`${FILTERS}${ROLE}: still here\n\n${rest}`);
    expect(got.asked).toEqual([1, 0, 0]);
  });

  test.each([
    ['content', chunk({ content: 'a' })],
    ['a tool call', chunk({ tool_calls: [{ index: 0, id: 't', function: { name: 'f' } }] })],
    ['reasoning', chunk({ reasoning_content: 'hm' })],
    ['a refusal', chunk({ refusal: 'no' })],
    ['a field that nobody knows', chunk({ hologram: 'x' })],
  ])('may be %s: from then on nothing is tried again', async (_what, token) => {
    await start();
    const got = await call(ended(ROLE + token, 'cut'));
    expect(got).toMatchObject({ status: 200, asked: [1, 0, 0] });
    expect(got.text).toContain('lost');
    expect(got.text).toContain('"error":{');
    expect(got.text).not.toContain('[DONE]');
  });

  test('may be the end of an answer that says nothing', async () => {
    await start();
    const got = await call(ended(`${ROLE}data: [DONE]\n\n`, 'silent'));
    expect(got).toMatchObject({ status: 200, asked: [1, 0, 0], text: `${ROLE}data: [DONE]\n\n` });
  });

  test('is not waited for behind more than a bound of what carries none', async () => {
    await start();
    const got = await call(ended(ROLE.repeat(2000), 'cut'));
    expect(got).toMatchObject({ status: 200, asked: [1, 0, 0] });
    expect(got.text).toContain('upstream_cut');
  });

  test('is not waited for where no more bytes may be held', async () => {
    await start({ resilience: { overload: { bytes_max: 80_000 } } });
    const got = await call(ended(ROLE.repeat(600), 'cut'));
    expect(got).toMatchObject({ status: 200, asked: [1, 0, 0] });
    expect(gateway.metrics.snapshot().hive_held_bytes?.[0]?.value ?? 0).toBe(0);
  });
});
