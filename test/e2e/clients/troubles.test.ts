import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WORDS } from '../../kit/actor.ts';
import { ALL, type Api, curlArguments, noCurl, runCurl } from './curl.ts';
import {
  ANTHROPIC_TARGET,
  frameworks,
  INSTALL,
  OPENAI_TARGET,
  openStage,
  playScenes,
  python,
  pythonRole,
  type Role,
  roleOf,
  type Stage,
} from './stage.ts';
import { DOWN, troubles } from './troubles.ts';

/** Clients that work unmodified, before upstreams that do not: errors, retries, answers cut. */
let stage: Stage;
const SETTINGS = `resilience:
  breaker: { calls_min: 1000000, failures: 1000000 }
`;

beforeAll(async () => {
  stage = await openStage(troubles(), SETTINGS);
}, 60_000);
afterAll(() => stage?.close());

const TEXT = WORDS.join('');
const EARLY = 'The upstream ended its answer too early.';

/** What every client must have made of the scenes of `programs/troubles.mjs`. */
async function expectTold(role: Role): Promise<void> {
  const known = stage.upstream.requests.length;
  const told = (status: number, words: string) => ({
    status,
    message: expect.stringContaining(words),
  });
  expect(await playScenes<object>(stage, role)).toEqual({
    down: told(503, DOWN),
    retried: told(503, DOWN),
    flaky: { text: TEXT },
    limited: { text: TEXT },
    reset: told(502, 'could not be reached (ECONNRESET)'),
    cut: told(502, EARLY),
    streamCut: { text: WORDS[0], message: expect.stringContaining(EARLY) },
    streamDown: told(503, DOWN),
  });
  const asked = stage.upstream.requests.slice(known).map(({ raw }) => raw.toString());
  // Its own second try reached the upstream, besides what the gateway tried again by itself.
  expect(asked.filter((raw) => raw.includes('down again')).length).toBeGreaterThanOrEqual(2);
}

const BOTH = [[OPENAI_TARGET], [ANTHROPIC_TARGET]] as const;
const missing = frameworks();
const noPython = python();

describe('the vendors’ own clients in trouble', () => {
  test.each(BOTH)('openai is told of every failure of %s, and is answered in the end', (target) =>
    expectTold(roleOf('openai-chat-troubles', target)),
  );

  test.each(BOTH)('@anthropic-ai/sdk is told of every failure of %s, and is answered', (target) =>
    expectTold(roleOf('anthropic-troubles', target)),
  );
});

describe.skipIf(missing === INSTALL)(`the frameworks in trouble (${missing})`, () => {
  test.each(BOTH)('OpenAI’s Agents SDK is told of every failure of chat with %s', (target) =>
    expectTold(roleOf('openai-agents-troubles', target, 'chat')),
  );

  test('OpenAI’s Agents SDK is told of every failure of responses', () =>
    expectTold(roleOf('openai-agents-troubles', OPENAI_TARGET, 'responses')));
});

describe.skipIf(noPython === INSTALL)(`Python’s clients in trouble (${noPython})`, () => {
  test.each(BOTH)('openai of Python is told of every failure of %s', (target) =>
    expectTold(pythonRole('openai_troubles.py', target)),
  );

  test.each(BOTH)('anthropic of Python is told of every failure of %s', (target) =>
    expectTold(pythonRole('anthropic_troubles.py', target)),
  );
});

describe.skipIf(noCurl !== 'present')(`curl in trouble (${noCurl})`, () => {
  const curl = (api: Api, body: object, ...more: readonly string[]) =>
    runCurl(curlArguments(stage, api, body, ...more));
  const own = (name: string) => `${name} ${Math.random()}`;

  test.each(ALL)('curl sees why %s of %s failed', async (_path, target, api) => {
    for (const [scene, status, words] of [
      ['down', 503, DOWN],
      ['reset', 502, 'could not be reached'],
      ['cut', 502, EARLY],
    ] as const) {
      const got = await curl(api, api.ask(target, own(scene)));
      const { error } = JSON.parse(got.text) as { error: { message: string } };
      expect(got.status).toBe(status);
      expect(error.message).toContain(words);
    }
  });

  test.each(ALL)('curl that tries again is answered by %s of %s', async (_path, target, api) => {
    const got = await curl(api, api.ask(target, own('limited')), '--retry', '3');
    expect(got.status).toBe(200);
    expect(got.text).toContain(TEXT);
  });

  test.each(ALL)('curl can tell a stream of %s cut by %s', async (_path, target, api) => {
    const { text, status } = await curl(api, api.ask(target, own('cut'), { stream: true }));
    expect(status).toBe(200);
    expect(text).toContain(api.word);
    expect(text).toContain(EARLY);
    expect(text).not.toContain(api.end);
  });
});
