import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REFUSAL } from '../../kit/actor.ts';
import { REPO } from '../../kit/product.ts';
import { until } from '../../kit/until.ts';
import {
  ANTHROPIC_TARGET,
  CLIENTS,
  expectScenes,
  INSTALL,
  isInstalled,
  OPENAI_TARGET,
  openStage,
  type Stage,
} from './stage.ts';

/** Clients that work unmodified: whole, streamed, tools, an error, an abort, in one run. */
const PYTHON = 'venv/bin/python';
let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
}, 60_000);
afterAll(() => stage?.close());

const programOf = (program: string) => join(CLIENTS, 'programs', `${program}.mjs`);
const play = (program: string, target: string, ...args: readonly string[]) =>
  expectScenes(stage, {
    command: process.execPath,
    args: [programOf(program), ...args],
    target,
  });
const playPython = (file: string, target: string) =>
  expectScenes(stage, {
    command: join(CLIENTS, PYTHON),
    args: [join(REPO, 'test/fixtures/python', file)],
    target,
  });
const BOTH = [[OPENAI_TARGET], [ANTHROPIC_TARGET]] as const;

describe('the vendors’ own clients', () => {
  test.each(BOTH)('openai plays all scenes of chat completions with %s', (target) =>
    play('openai-chat', target),
  );

  test('openai plays all scenes of responses', () => play('openai-responses', OPENAI_TARGET));

  test.each(BOTH)('@anthropic-ai/sdk plays all scenes of messages with %s', (target) =>
    play('anthropic', target),
  );
});

const missing = isInstalled('node_modules/ai') ? 'present' : INSTALL;
const noPython = isInstalled(PYTHON) ? 'present' : INSTALL;

describe.skipIf(missing === INSTALL)(`the frameworks (${missing})`, () => {
  test.each(BOTH)('Vercel’s AI SDK plays all scenes of chat with %s', (target) =>
    play('ai-sdk', target, 'chat'),
  );

  test('Vercel’s AI SDK plays all scenes of responses', () =>
    play('ai-sdk', OPENAI_TARGET, 'responses'));

  test.each(BOTH)('Vercel’s AI SDK plays all scenes of messages with %s', (target) =>
    play('ai-sdk', target, 'messages'),
  );

  test.each(BOTH)('LangChain plays all scenes of chat with %s', (target) =>
    play('langchain', target, 'openai'),
  );

  test('LangChain plays all scenes of messages natively', () =>
    play('langchain', ANTHROPIC_TARGET, 'anthropic'));

  test('LangChain plays all scenes of messages by translation', () =>
    expectScenes(stage, {
      command: process.execPath,
      args: [programOf('langchain'), 'anthropic'],
      target: OPENAI_TARGET,
      // It reads a prompt's tokens at a stream's start only, when OpenAI has not told them yet.
      streamed_tokens: 5,
    }));

  test.each(BOTH)('OpenAI’s Agents SDK plays all scenes of chat with %s', (target) =>
    play('openai-agents', target, 'chat'),
  );

  test('OpenAI’s Agents SDK plays all scenes of responses', () =>
    play('openai-agents', OPENAI_TARGET, 'responses'));
});

describe.skipIf(noPython === INSTALL)(`the vendors’ clients of Python (${noPython})`, () => {
  test.each(BOTH)('openai plays all scenes of chat completions with %s', (target) =>
    playPython('openai_chat.py', target),
  );

  test.each(BOTH)('anthropic plays all scenes of messages with %s', (target) =>
    playPython('anthropic_messages.py', target),
  );
});

/** Raw curl, as documentation shows it. */
const run = promisify(execFile);
const noCurl = await run('curl', ['--version']).then(
  () => 'present',
  () => 'missing: apt-get install curl',
);

interface Api {
  readonly path: string;
  readonly key: string;
  ask(target: string, text: string, more?: object): object;
  readonly word: string;
  readonly end: string;
}

const CHAT: Api = {
  path: '/v1/chat/completions',
  key: 'authorization: Bearer unused',
  ask: (model, content, more) => ({ model, messages: [{ role: 'user', content }], ...more }),
  word: '"content":"one "',
  end: 'data: [DONE]',
};
const MESSAGES: Api = {
  path: '/v1/messages',
  key: 'x-api-key: unused',
  ask: (model, content, more) => ({
    model,
    max_tokens: 100,
    messages: [{ role: 'user', content }],
    ...more,
  }),
  word: '"text":"one "',
  end: 'event: message_stop',
};
const ALL = [CHAT, MESSAGES].flatMap((api) =>
  [OPENAI_TARGET, ANTHROPIC_TARGET].map((target) => [api.path, target, api] as const),
);

const argumentsOf = (api: Api, body: object): string[] => [
  '-sS',
  '-N',
  '-w',
  '\n%{http_code}',
  '-X',
  'POST',
  stage.product.gateway_url + api.path,
  '-H',
  'content-type: application/json',
  '-H',
  api.key,
  '-H',
  'anthropic-version: 2023-06-01',
  '-d',
  JSON.stringify(body),
];
const curl = async (api: Api, body: object) => {
  const { stdout } = await run('curl', argumentsOf(api, body));
  const cut = stdout.lastIndexOf('\n');
  return { text: stdout.slice(0, cut), status: Number(stdout.slice(cut + 1)) };
};

describe.skipIf(noCurl !== 'present')(`curl (${noCurl})`, () => {
  test.each(ALL)('curl gets a whole answer of %s from %s', async (_path, target, api) => {
    const { text, status } = await curl(api, api.ask(target, 'whole'));
    expect(status).toBe(200);
    expect(text).toContain('one two three');
    expect(() => JSON.parse(text)).not.toThrow();
  });

  test.each(ALL)('curl gets a stream of %s from %s', async (_path, target, api) => {
    const { text, status } = await curl(api, api.ask(target, 'stream', { stream: true }));
    expect(status).toBe(200);
    expect(text).toContain(api.word);
    expect(text).toContain(api.end);
  });

  test.each(ALL)('curl gets a tool’s call of %s from %s', async (_path, target, api) => {
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const tool =
      api === CHAT
        ? { type: 'function', function: { name: 'get_weather', parameters } }
        : { name: 'get_weather', input_schema: parameters };
    const { text, status } = await curl(api, api.ask(target, 'tools', { tools: [tool] }));
    expect(status).toBe(200);
    expect(text).toMatch(/"name":\s*"get_weather"/);
    expect(text).toContain('Paris');
  });

  test.each(ALL)('curl gets an error in the shape of %s from %s', async (_path, target, api) => {
    const { text, status } = await curl(api, api.ask(target, 'fail'));
    const said = JSON.parse(text) as { type?: string; error: { message: string } };
    expect(status).toBe(400);
    expect(said.error.message).toContain(REFUSAL);
    expect(said.type).toBe(api === MESSAGES ? 'error' : undefined);
  });

  test.each(ALL)('curl is heard by the upstream of %s when it leaves %s', async (...row) => {
    const [, target, api] = row;
    const known = stage.upstream.requests.length;
    const child = spawn('curl', argumentsOf(api, api.ask(target, 'hang', { stream: true })));
    const heard: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => heard.push(part));
    await until(() => Buffer.concat(heard).includes(api.word), { what: 'the first word' });
    child.kill();
    await once(child, 'close');
    const call = () => stage.upstream.requests[known];
    await until(() => call()?.aborted, { deadline_ms: 1000, what: 'the abort to go through' });
  });
});
