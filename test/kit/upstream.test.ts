import { connect } from 'node:net';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePorts } from './ports.ts';
import { until } from './until.ts';
import {
  answer,
  type Behaviour,
  bySystem,
  drip,
  htmlError,
  malformedChunk,
  reset,
  type StreamEnd,
  stall,
  startUpstream,
  status,
  stream,
  type Upstream,
} from './upstream.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

const client = (): OpenAI => new OpenAI({ baseURL: upstream.url, apiKey: 'k', maxRetries: 0 });

function ask(text: string, system?: string, init: RequestInit = {}, more: object = {}) {
  const before = system === undefined ? [] : [{ role: 'system', content: system }];
  return fetch(`${upstream.url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'm',
      messages: [...before, { role: 'user', content: text }],
      ...more,
    }),
    ...init,
  });
}

async function streamed(behaviour: Behaviour, more: object = {}): Promise<string> {
  upstream.script(behaviour);
  const response = await ask('hi', undefined, {}, { stream: true, ...more });
  return response.text();
}

describe('the scripted upstream', () => {
  test('upstream answers an OpenAI client whole and streamed, and records it', async () => {
    upstream.script(answer('two words'));
    const whole = await client().chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
    });
    expect(whole.choices[0]?.message.content).toBe('two words');
    const chunks = await client().chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: unknown = null;
    for await (const chunk of chunks) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe('two words');
    expect(usage).toMatchObject({ completion_tokens: 3 });
    const [first] = upstream.calls;
    expect(first).toMatchObject({ method: 'POST', path: '/v1/chat/completions', user: 'hi' });
    expect(JSON.parse(first?.raw.toString() ?? '')).toEqual(first?.body);
    expect(first?.headers.authorization).toBe('Bearer k');
  });

  test('upstream takes a queue of behaviours and repeats the last', async () => {
    upstream.script([status(500), htmlError(), answer('well')]);
    const statuses: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const response = await ask('x');
      statuses.push(response.status);
      await response.text();
    }
    expect(statuses).toEqual([500, 502, 200, 200]);
  });

  test('upstream answers by the system text that it received', async () => {
    upstream.script(bySystem((system) => answer(system.includes('kind') ? 'kind' : 'rude')));
    expect(await (await ask('x', 'Be kind.')).json()).toMatchObject({
      choices: [{ message: { content: 'kind' } }],
    });
    expect(await (await ask('x')).json()).toMatchObject({
      choices: [{ message: { content: 'rude' } }],
    });
  });

  test('upstream sees that a client went away', async () => {
    upstream.script(stream(['a ', 'b'], { end: 'stall' }));
    const abort = new AbortController();
    const response = await ask('x', undefined, { signal: abort.signal }, { stream: true });
    expect(response.status).toBe(200);
    expect(upstream.calls[0]?.aborted).toBe(false);
    abort.abort();
    await until(() => upstream.calls[0]?.aborted, { what: 'the abort' });
  });

  test.each<[StreamEnd, RegExp]>([
    ['done', /"finish_reason":"stop".*\[DONE\]\n\n$/s],
    ['no-done', /"finish_reason":"stop"[^[]*\}\]\}\n\n$/s],
    ['silent', /"finish_reason":null\}\]\}\n\n$/s],
  ])('stream ends in order as %s', async (end, expected) => {
    expect(await streamed(stream(['a', 'b'], { end }))).toMatch(expected);
  });

  test.each<[string, Behaviour]>([
    ['cut', stream(['a', 'b'], { end: 'cut' })],
    ['reset', stream(['a', 'b'], { end: 'reset' })],
    ['reset after the headers', reset('after-headers')],
  ])('stream that is %s breaks the transfer, which is no abort', async (_name, behaviour) => {
    await expect(streamed(behaviour)).rejects.toThrow();
    await until(() => upstream.calls[0]?.ended, { what: 'the end' });
    expect(upstream.calls[0]?.aborted).toBe(false);
  });

  test('reset before the headers is a failed request', async () => {
    upstream.script(reset());
    await expect(ask('x')).rejects.toThrow('fetch failed');
  });

  test('drip cuts events and characters anywhere and loses none', async () => {
    const text = await streamed(drip('grüße 漢字', { bytes: 3, delay_ms: 0 }));
    expect(text).toContain('grüße ');
    expect(text).toContain('漢字');
    expect(text).toMatch(/\[DONE\]\n\n$/);
  });

  test('malformedChunk sends one event that is not JSON', async () => {
    const events = (await streamed(malformedChunk())).split('\n\n').filter(Boolean);
    const parsed = events.map((event) => {
      try {
        return typeof JSON.parse(event.slice(6));
      } catch {
        return event;
      }
    });
    expect(parsed.filter((entry) => entry !== 'object')).toHaveLength(2);
    expect(parsed.at(-1)).toBe('data: [DONE]');
  });

  test('close ends a stalled exchange and frees the port', async () => {
    upstream.script(stall());
    const asked = ask('x');
    asked.catch(() => undefined);
    await until(() => upstream.calls.length === 1, { what: 'the call' });
    await upstream.close();
    await expect(asked).rejects.toThrow();
    const refused = new Promise((resolve) => {
      connect(upstream.port, '127.0.0.1').once('error', resolve);
    });
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('freePorts', () => {
  test('freePorts gives different ports', async () => {
    const ports = await freePorts(5);
    expect(new Set(ports).size).toBe(5);
  });
});
