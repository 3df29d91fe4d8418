import { copyFile, mkdtemp, rm, truncate } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Recording, recordings } from '../kit/recordings.ts';
import { modelPath, type RunningEngine, startEngine } from './engine-process.ts';

/** Lower-case words of 3 to 7 letters: what the demo model was trained to repeat. */
const WORDS = (
  'cat tree house garden window apple river stone cloud paper ' +
  'green horse music bread silver orange winter forest candle bridge'
).split(' ');

const reversed = (word: string) => word.split('').reverse().join('');

interface Completion {
  readonly model: string;
  readonly choices: readonly {
    readonly message: { readonly content: string };
    readonly finish_reason: string;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly error: { readonly message: string; readonly type: string; readonly code: string };
}

let engine: RunningEngine;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hive-engine-'));
  await copyFile(modelPath('upper'), join(folder, 'cut.gguf'));
  await truncate(join(folder, 'cut.gguf'), 40_000);
  engine = await startEngine({
    local: {
      model: modelPath('echo'),
      adapters: {
        upper: modelPath('upper'),
        reverse: modelPath('reverse'),
        missing: join(folder, 'missing.gguf'),
        cut: join(folder, 'cut.gguf'),
        base: modelPath('echo'),
      },
      context_tokens: 512,
      slots: 2,
    },
    broken: {
      model: join(folder, 'nothing.gguf'),
      adapters: {},
      context_tokens: 512,
      slots: 1,
    },
    corrupt: { model: join(folder, 'cut.gguf'), adapters: {}, context_tokens: 512, slots: 1 },
  });
});

afterAll(async () => {
  await engine?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ask(model: string, content: unknown, more: object = {}, provider = 'local') {
  const response = await fetch(`${engine.url}/${provider}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content }], ...more }),
  });
  return { status: response.status, body: (await response.json()) as Completion };
}

async function say(model: string, word: string, more: object = {}): Promise<string | undefined> {
  return (await ask(model, word, more)).body.choices[0]?.message.content;
}

/** An answer without the place and time of its making. */
function shapeOf(text: string): string {
  const compact = text.startsWith('{') ? JSON.stringify(JSON.parse(text)) : text;
  return compact
    .replaceAll(/chatcmpl-[0-9a-f-]+/g, 'id')
    .replaceAll(/"created":\d+/g, '"created":0');
}

describe('engine', () => {
  test.each([
    ['echo', (word: string) => word],
    ['echo:upper', (word: string) => word.toUpperCase()],
    ['echo:reverse', (word: string) => reversed(word)],
  ])('engine answers as %s, 20 words of 20', async (model, expected) => {
    const answers = await Promise.all(WORDS.map((word) => say(model, word)));
    expect(answers).toEqual(WORDS.map(expected));
  });

  test('engine keeps adapters apart asked for at once, with fewer slots', async () => {
    const models = ['echo', 'echo:upper', 'echo:reverse'];
    const answers = await Promise.all(
      WORDS.flatMap((word) => models.map(async (model) => [model, await say(model, word)])),
    );
    expect(answers).toEqual(
      WORDS.flatMap((word) => [
        ['echo', word],
        ['echo:upper', word.toUpperCase()],
        ['echo:reverse', reversed(word)],
      ]),
    );
  });

  test('engine says which model answered, why it ended, and what it counted', async () => {
    const { body } = await ask('echo:upper', 'tiger');
    expect(body).toMatchObject({
      object: 'chat.completion',
      model: 'echo:upper',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant' } }],
      usage: { prompt_tokens: 8, completion_tokens: 5, total_tokens: 13 },
    });
  });

  test('engine answers in the shape that is recorded of it', async () => {
    const known = new Map(recordings().map((one) => [one.name, one]));
    for (const name of ['embedded/chat', 'embedded/chat-adapter-stream']) {
      const recorded = known.get(name) as Recording;
      const response = await fetch(`${engine.url}/local/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify(recorded.request),
      });
      expect(shapeOf(await response.text())).toBe(shapeOf(recorded.bytes.toString()));
    }
  });

  test('engine streams to the official client: role, deltas, finish, usage', async () => {
    const client = new OpenAI({ baseURL: `${engine.url}/local/v1`, apiKey: 'none', maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: 'echo:reverse',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'window' }],
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' });
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('wodniw');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 6 } });
    expect(new Set(chunks.map(({ id, created }) => `${id} ${created}`)).size).toBe(1);
  });

  test('engine ends a stream with [DONE] and without usage where nobody asked', async () => {
    const response = await fetch(`${engine.url}/local/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model: 'echo',
        stream: true,
        messages: [{ role: 'user', content: 'river' }],
      }),
    });
    const text = await response.text();
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(text).not.toContain('usage');
  });

  test('engine obeys limits and stop texts', async () => {
    const cut = (await ask('echo', 'garden', { max_tokens: 2 })).body;
    expect(cut.choices[0]).toMatchObject({ message: { content: 'ga' }, finish_reason: 'length' });
    expect(await say('echo', 'garden', { max_completion_tokens: 3, max_tokens: 1 })).toBe('gar');
    const stopped = (await ask('echo', 'garden', { stop: ['den'] })).body;
    expect(stopped.choices[0]).toMatchObject({
      message: { content: 'gar' },
      finish_reason: 'stop',
    });
  });

  test('engine gives the same answer for the same seed', async () => {
    const hot = { temperature: 2, top_p: 1, seed: 7, max_tokens: 12 };
    const system = [
      { role: 'system', content: 'shout' },
      { role: 'user', content: 'garden' },
    ];
    const answers = [0, 1].map(() => say('echo', '', { ...hot, messages: system }));
    const [first, second] = await Promise.all(answers);
    expect(first).toBe(second);
  });

  test('engine takes text parts for text', async () => {
    const parts = ['gar', 'den'].map((text) => ({ type: 'text', text }));
    expect((await ask('echo', parts)).body.choices[0]?.message.content).toBe('garden');
  });

  test('engine never reads special tokens out of a message', async () => {
    const plain = (await ask('echo', 'abc')).body.usage.prompt_tokens;
    const tricky = (await ask('echo', 'abc</s>', { max_tokens: 1 })).body.usage.prompt_tokens;
    expect(tricky).toBe(plain + '</s>'.length);
  });

  test.each([
    ['echo', 'hello '.repeat(400), 400, 'context_length_exceeded'],
    ['echo', 'x'.repeat(1_000_000), 400, 'context_length_exceeded'],
    ['nope', 'hello', 404, 'model_not_found'],
    ['echo:nope', 'hello', 404, 'model_not_found'],
    ['echo:missing', 'hello', 500, 'adapter_failed'],
    ['echo:cut', 'hello', 500, 'adapter_failed'],
    ['echo:base', 'hello', 500, 'adapter_failed'],
  ])(
    'engine asked as %s for %.8s answers %i with the reason',
    async (model, text, status, code) => {
      const refused = await ask(model, text);
      expect(refused).toMatchObject({
        status,
        body: { error: { message: expect.any(String), type: expect.any(String), code } },
      });
      expect(Object.keys(refused.body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
      expect(await say('echo', 'hello')).toBe('hello');
    },
  );

  test('engine serves an adapter once its broken file was replaced', async () => {
    expect((await ask('echo:cut', 'hello')).status).toBe(500);
    expect((await ask('echo:cut', 'hello')).body.error.message).toContain('still the same');
    await copyFile(modelPath('upper'), join(folder, 'cut.gguf'));
    expect(await say('echo:cut', 'hello')).toBe('HELLO');
  });

  test.each(['broken', 'corrupt'])('engine with a %s model says so, and goes on', async (name) => {
    const refused = await ask('nothing', 'hello', {}, name);
    expect(refused.status).toBe(503);
    expect(refused.body.error).toMatchObject({
      code: 'model_failed',
      message: expect.stringMatching(/^Model (nothing|cut)\.gguf cannot be loaded: /),
    });
    expect(refused.body.error.message).not.toContain(folder);
    expect(engine.log()).toContain(`"provider":"${name}"`);
    expect(await say('echo', 'hello')).toBe('hello');
  });

  test('engine lists what can answer', async () => {
    const list = async (provider: string) => {
      const response = await fetch(`${engine.url}/${provider}/v1/models`);
      return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    };
    expect(await list('local')).toContain('echo:reverse');
    expect(await list('broken')).toEqual([]);
    const health = (await (await fetch(`${engine.url}/health`)).json()) as { models: object };
    expect(health.models).toMatchObject({ local: 'ready' });
  });

  test.each([
    ['GET', '/nowhere', 404],
    ['POST', '/absent/v1/chat/completions', 404],
    ['GET', '/local/v1/chat/completions', 405],
    ['POST', '/local/v1/chat/completions', 400],
  ])('engine answers %s %s with %i and four keys', async (method, path, status) => {
    const response = await fetch(engine.url + path, { method });
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as Completion;
    expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  });

  test('engine serves the next after many clients hung up amid a stream', async () => {
    const hungUp = Array.from({ length: 20 }, () => hangUpAtFirstByte());
    await Promise.all(hungUp);
    expect(await say('echo', 'hello')).toBe('hello');
  });
});

/** A stream that would go on to the end of the context, cut by the client at its first byte. */
function hangUpAtFirstByte(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${engine.url}/local/v1/chat/completions`,
      { method: 'POST' },
      (response) => {
        response.once('data', () => {
          response.destroy();
          resolve();
        });
      },
    );
    request.on('error', reject);
    const messages = [{ role: 'user', content: 'zzzzzzzzzzzz' }];
    request.end(JSON.stringify({ model: 'echo', stream: true, temperature: 2, messages }));
  });
}

describe('engine process', () => {
  test('engine process ends when its parent lets go of it', async () => {
    const own = await startEngine({});
    expect(await own.stop()).toBe(0);
  });

  test('engine process ends on SIGTERM', async () => {
    const own = await startEngine({});
    own.child.kill('SIGTERM');
    expect(await own.stop()).toBe(0);
  });

  test('engine process refuses an argument that is no configuration', async () => {
    const bad = { local: { model: 3 } } as unknown as Parameters<typeof startEngine>[0];
    await expect(startEngine(bad)).rejects.toThrow(/the engine cannot start/);
  });
});
