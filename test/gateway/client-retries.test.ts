import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  answer,
  type Behaviour,
  openAiError,
  startUpstream,
  status,
  type Upstream,
} from '../kit/upstream.ts';
import { type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

/** The official SDKs, with the retries that they come with, before a gateway with its own. */
let upstreams: Upstream[];
let gateway: RunningGateway;

beforeAll(async () => {
  upstreams = await Promise.all([startUpstream(), startUpstream(), startUpstream()]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all(upstreams.map((upstream) => upstream.close())));

const CLIENTS = {
  openai: () => {
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused' });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    return client.chat.completions
      .create({ model: 'default', messages })
      .then(({ choices }) => choices[0]?.message.content);
  },
  anthropic: () => {
    const client = new Anthropic({ baseURL: gateway.url, apiKey: 'unused' });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    return client.messages
      .create({ model: 'default', max_tokens: 9, messages })
      .then(({ content }) => content.map((block) => 'text' in block && block.text).join(''));
  },
} as const;
type Client = keyof typeof CLIENTS;
const BOTH: readonly Client[] = ['openai', 'anthropic'];

/** Starts with so many targets; what they are asked from now on, one number each. */
const start = async (count: number, script: Behaviour | readonly Behaviour[]) => {
  const used = upstreams.slice(0, count);
  for (const upstream of used) upstream.script(script);
  const targets = Object.fromEntries(used.map(({ url }, at) => [`t${at}`, url]));
  gateway = await startGateway(makeSnapshot({ targets, resilience: { retry: { budget: 1000 } } }));
  const before = used.map(({ calls }) => calls.length);
  return () => used.map(({ calls }, at) => calls.length - (before[at] ?? 0));
};
/** Down, and says that it may be asked again at once: nobody's pause is waited for. */
const down = status(503, openAiError(503), { 'retry-after-ms': '1' });
const requests = () => gateway.events().length;

describe.each(BOTH)('a client of %s that retries by itself', (name) => {
  test.each([
    [1, [5]],
    [2, [4, 3]],
    [3, [3, 3, 3]],
  ])('makes with %i targets that are down the documented attempts', async (count, most) => {
    const asked = await start(count, down);
    await expect(CLIENTS[name]()).rejects.toMatchObject({ status: 503 });
    expect(asked()).toEqual(most);
    expect(requests()).toBe(3);
  });

  test('succeeds where a target recovers between two of its retries', async () => {
    const asked = await start(1, [down, down, down, down, answer('back')]);
    expect(await CLIENTS[name]()).toBe('back');
    expect(asked()).toEqual([5]);
    expect(requests()).toBe(3);
  });

  test('is served by whoever is well, at its first request', async () => {
    const asked = await start(2, down);
    upstreams[1]?.script(answer('well'));
    expect(await CLIENTS[name]()).toBe('well');
    expect(asked()).toEqual([1, 1]);
  });

  test.each([
    ['refused keys', status(401), 502],
    ['unknown models', status(404), 404],
  ])('does not ask again for %s', async (_what, script, code) => {
    const asked = await start(2, script);
    await expect(CLIENTS[name]()).rejects.toMatchObject({ status: code });
    expect(asked()).toEqual([1, 1]);
    expect(requests()).toBe(1);
  });
});

describe('x-stainless-retry-count', () => {
  const body = { model: 'default', messages: [{ role: 'user', content: 'hi' }] };

  test.each([
    ['0', 3],
    ['1', 1],
    ['7', 1],
    ['-1', 3],
    ['many', 3],
  ])('of %s makes %i attempts', async (count, most) => {
    const asked = await start(1, down);
    await gateway.post(body, { 'x-stainless-retry-count': count });
    expect(asked()).toEqual([most]);
  });

  test('leaves a limit to the client, which is told how long it lasts', async () => {
    const asked = await start(1, status(429, openAiError(429), { 'retry-after-ms': '3' }));
    const got = await gateway.post(body, { 'x-stainless-retry-count': '1' });
    expect(got.status).toBe(429);
    expect(got.headers.get('retry-after-ms')).toBe('3');
    expect(got.headers.get('x-should-retry')).toBeNull();
    expect(asked()).toEqual([1]);
  });
});
