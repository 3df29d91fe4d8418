import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REFUSAL } from '../../kit/actor.ts';
import { until } from '../../kit/until.ts';
import { ALL, type Api, CHAT, curlArguments, MESSAGES, noCurl, runCurl } from './curl.ts';
import {
  ANTHROPIC_TARGET,
  expectScenes,
  frameworks,
  INSTALL,
  OPENAI_TARGET,
  openStage,
  python,
  pythonRole,
  roleOf,
  type Stage,
} from './stage.ts';

/** Clients that work unmodified: whole, streamed, tools, an error, an abort, in one run. */
let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
}, 60_000);
afterAll(() => stage?.close());

const play = (program: string, target: string, ...args: readonly string[]) =>
  expectScenes(stage, roleOf(program, target, ...args));
const playPython = (file: string, target: string) => expectScenes(stage, pythonRole(file, target));
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

const missing = frameworks();
const noPython = python();

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
      ...roleOf('langchain', OPENAI_TARGET, 'anthropic'),
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

const curl = (api: Api, body: object) => runCurl(curlArguments(stage, api, body));

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
    const child = spawn(
      'curl',
      curlArguments(stage, api, api.ask(target, 'hang', { stream: true })),
    );
    const heard: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => heard.push(part));
    await until(() => Buffer.concat(heard).includes(api.word), { what: 'the first word' });
    child.kill();
    await once(child, 'close');
    const call = () => stage.upstream.requests[known];
    await until(() => call()?.aborted, { deadline_ms: 1000, what: 'the abort to go through' });
  });
});
