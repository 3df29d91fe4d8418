import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { compileCategories } from '../../src/config/categories.ts';
import { signalMetricsOf } from '../../src/core/signals/metrics-of.ts';
import { SaidText } from '../../src/core/signals/said.ts';
import { createSignals, type SeenCall } from '../../src/gateway/signals.ts';
import { answer, startUpstream, stream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
afterEach(() => gateway.close());

const start = async (more: Partial<Parameters<typeof makeSnapshot>[0]> = {}) => {
  gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url }, ...more }));
};
const QUESTION = 'How do I reset my password?';
const turn = (said: string, next: unknown, role = 'user') => ({
  model: 'default',
  messages: [
    { role: 'user', content: QUESTION },
    { role: 'assistant', content: said },
    { role, content: next, ...(role === 'tool' ? { tool_call_id: 'c1' } : {}) },
  ],
});
const done = async (body: unknown) => (await gateway.post(body, { 'x-user-id': 'ada' })).text();

describe('the record of a call', () => {
  test('the record says how long an answer was, and nothing that was said', async () => {
    await start();
    upstream.script(answer('I’m sorry, but I can’t help with that.'));
    await done(ask());
    const event = await gateway.event();
    expect(event.signals).toEqual({ chars: 38, refusal: 'en' });
    expect(event).not.toHaveProperty('category');
    expect(event).not.toHaveProperty('follow_up');
    expect(JSON.stringify(event)).not.toContain('sorry');
  });

  test('the record says the same of a stream as of a whole answer', async () => {
    await start();
    upstream.script(stream(['I’m sorry, but I ', 'can’t help ', 'with that.']));
    await done(ask('hello', { stream: true }));
    expect((await gateway.event()).signals).toEqual({ chars: 38, refusal: 'en' });
  });

  test('the record says what is wrong with an answer that was to be JSON', async () => {
    await start();
    const schema = { type: 'object', required: ['id'] };
    const json_schema = { name: 'x', schema };
    const asked = ask('x', { response_format: { type: 'json_schema', json_schema } });
    upstream.script([answer('{"name": 1}'), answer('{"id": 1}'), answer('Sure: {"id": 1}')]);
    for (const _ of [1, 2, 3]) await done(asked);
    expect((await gateway.event(1)).signals?.schema).toBe('required');
    expect((await gateway.event(2)).signals).toEqual({ chars: 9 });
    expect((await gateway.event(3)).signals?.schema).toBe('not_json');
  });

  test('the record says that an answer is in another language', async () => {
    await start();
    upstream.script(answer('You can reset it on this page if you are there and have the link.'));
    await done(ask('Wie kann ich mein Passwort auf dieser Seite ändern und wo ist der Link?'));
    expect((await gateway.event()).signals?.language).toEqual(['de', 'en']);
  });

  test('the record lays what the next turn says to the earlier call', async () => {
    await start();
    upstream.script([answer('Go away.'), answer('On the page of your account.')]);
    await done(ask(QUESTION));
    await done(turn('Go away.', 'No, that’s wrong. How do I reset my password?'));
    const [first, second] = [await gateway.event(1), await gateway.event(2)];
    expect(second).toMatchObject({ relation: 'turn', parent: first.id });
    expect(second.follow_up).toMatchObject({ class: 'wrong_answer', correction: true });
    expect(signalMetricsOf(second).parent).toContain('wrong_answer');
    expect(signalMetricsOf(second).own).toEqual([]);
  });

  test('the record counts tools that failed', async () => {
    await start();
    upstream.script([answer('calling'), answer('I see.')]);
    await done(ask(QUESTION));
    await done(turn('calling', 'Error: no such file', 'tool'));
    expect((await gateway.event(2)).follow_up).toEqual({ class: 'none', tool_failures: 1 });
  });

  test('the record names the call’s category where the policy has some', async () => {
    const by = { code: { when: 'call.has_code' } };
    const snapshot = makeSnapshot({ targets: { main: upstream.url } });
    const categories = compileCategories({ order: ['code'], by });
    gateway = await startGateway({ ...snapshot, categories });
    upstream.script([answer('x'), answer('x')]);
    await done(ask('```js\nx\n```'));
    await done(ask('hello'));
    expect((await gateway.event(1)).category).toBe('code');
    expect((await gateway.event(2)).category).toBe('other');
  });
});

describe('createSignals', () => {
  const lines: unknown[] = [];
  const write = (message: string) => void lines.push(message);
  const log = { info: write, warn: write, error: write };
  const seen = (over: Partial<SeenCall>): SeenCall => ({
    call: { endpoint: 'chat.completions', body: {}, agent: 'a', id: 'call_1' } as SeenCall['call'],
    relation: null,
    origin: 'client',
    outcome: 'ok',
    finish: 'stop',
    replied: false,
    said: new SaidText(),
    categories: null,
    ...over,
  });
  const said = (text: string): SaidText => {
    const one = new SaidText();
    one.add({ text });
    return one;
  };

  test('createSignals tells where a client hung up, and as what share', async () => {
    await start();
    const signals = createSignals({ log });
    const aborted = seen({ outcome: 'aborted', said: said('x'.repeat(100)) });
    expect(signals.observe(aborted).signals).toEqual({ abort_chars: 100 });
    for (let at = 0; at < 300; at += 1) signals.observe(seen({ said: said('y'.repeat(400)) }));
    const share = signals.observe(aborted).signals?.abort_share ?? 0;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
    const long = signals.observe(seen({ said: said('z'.repeat(50_000)) }));
    expect(long.signals).toEqual({ chars: 50_000, length: 'long' });
  });

  test('createSignals tells how an answer ended where it did not end well', async () => {
    await start();
    const signals = createSignals({ log });
    const of = (over: Partial<SeenCall>) => signals.observe(seen(over)).signals?.finish;
    expect(of({ finish: 'length', said: said('x') })).toBe('truncated');
    expect(of({ finish: 'content_filter' })).toBe('filtered');
    expect(of({ finish: 'stop' })).toBe('empty');
    expect(of({ finish: null, said: said('x') })).toBe('missing');
    expect(of({ said: said('x') })).toBeUndefined();
  });

  test('createSignals says nothing of the oracle’s calls, of replies', async () => {
    await start();
    const signals = createSignals({ log });
    const refusal = said('I can’t help with that.');
    expect(signals.observe(seen({ said: refusal })).signals?.refusal).toBe('en');
    for (const origin of ['oracle', 'probe', 'regression'] as const) {
      expect(signals.observe(seen({ said: refusal, origin }))).toEqual({});
    }
    expect(signals.observe(seen({ said: refusal, replied: true }))).toEqual({});
    const call = { endpoint: 'embeddings', body: {} } as SeenCall['call'];
    expect(signals.observe(seen({ call }))).toEqual({});
    expect(signals.observe(seen({ outcome: 'error' }))).toEqual({});
  });

  test('createSignals loses no call over a rule that throws', async () => {
    await start();
    const classifier = {
      name: 'broken',
      classify: () => {
        throw new Error('x');
      },
    };
    const signals = createSignals({ log, classifier });
    const call = { ...seen({}).call, body: turn('a', 'b') } as SeenCall['call'];
    expect(signals.observe(seen({ call, relation: 'turn' }))).toEqual({});
    expect(lines).toContain('no signals of a call');
  });
});
