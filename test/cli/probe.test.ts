import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAiError, startUpstream, status, stream, type Upstream } from '../kit/upstream.ts';
import { hive, ROOT, temporaryDir } from './cli-kit.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

function policies(provider: string, more = ''): string {
  const dir = join(temporaryDir(), 'policies');
  mkdirSync(dir);
  const model = join(ROOT, 'models/echo.gguf');
  writeFileSync(
    join(dir, 'gateway.yaml'),
    [
      'version: 1',
      'providers:',
      `  far: ${provider}`,
      `  local: { use: embedded, model: ${model} }`,
      'targets:',
      `  main: { provider: far, model: gpt-x${more} }`,
      '  demo: { provider: local, fallback_only: true }',
      'agents:',
      '  default: { targets: { main: 1, demo: 0 } }',
      '',
    ].join('\n'),
  );
  return dir;
}

const PROBE_KEY = { PROBE_KEY: 'sk-secret' };

function probe(provider: string, more = '') {
  return hive(['check', '--probe', '--policies', policies(provider, more)], { env: PROBE_KEY });
}

test('hive check --probe calls each target once and says what it can do', async () => {
  const ran = await probe(
    `{ use: openai, api_key: '\${PROBE_KEY}', base_url: '${upstream.url}', network: private }`,
  );
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toMatch(
    /^target main: answers as \S+, first words after \d+ ms; .*takes chat\.completions, responses/m,
  );
  expect(ran.out).toMatch(/^target demo: not probed/m);
  expect(upstream.calls).toHaveLength(1);
  expect(upstream.calls[0]?.headers.authorization).toBe('Bearer sk-secret');
  expect(upstream.calls[0]?.body).toMatchObject({ model: 'gpt-x', stream: true });
});

test('hive check --probe names what fails, tells no key, and its exit code says so', async () => {
  upstream.script(status(401, openAiError(401, 'Incorrect API key provided: sk-secret')));
  const ran = await probe(
    `{ use: openai, api_key: '\${PROBE_KEY}', base_url: '${upstream.url}', network: private }`,
  );
  expect(ran.code).toBe(1);
  expect(ran.err).toMatch(/^target main: fails \(credentials\)/m);
  expect(`${ran.out}${ran.err}`).not.toContain('sk-secret');
});

test('hive check --probe tells of no words where a model has thought until its limit', async () => {
  upstream.script(stream([]));
  const ran = await probe(`{ use: openai, base_url: '${upstream.url}', network: private }`);
  expect(ran.code).toBe(0);
  expect(ran.out).toMatch(/^target main: answers as \S+, no words within 64 tokens; /m);
});

test('hive check --probe waits for a first token as long as the gateway would', async () => {
  upstream.script(() => undefined);
  const ran = await probe(
    `{ use: openai, api_key: '\${PROBE_KEY}', base_url: '${upstream.url}', network: private }`,
    ', timeouts: { first_token_ms: 60 }',
  );
  expect(`${ran.out}${ran.err}`).toMatch(/^target main: fails \(timeout\): .*60 ms/m);
  expect(ran.code).toBe(1);
});

test('hive check without --probe calls nobody', async () => {
  const dir = policies(`{ use: openai, base_url: '${upstream.url}', network: private }`);
  const ran = await hive(['check', '--policies', dir]);
  expect(ran.code).toBe(0);
  expect(upstream.requests).toEqual([]);
});
