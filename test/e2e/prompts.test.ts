import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PromptDetail, PromptMoved } from '../../src/oracle/prompt-answers.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, by, startUpstream, type Upstream } from '../kit/upstream.ts';
import { worldPolicies } from './world.ts';

/** Two gateway processes; the upstream says which prompt it was sent. */
let product: Product;
let upstream: Upstream;
const connections = new Agent({ connections: 8, pipelining: 1 });

const prompt = (edit: number): string => `version: 1
name: tone
versions:
  1: { ops: [{ op: system.append, text: "one of ${edit}" }] }
  2:
    ops:
      - { op: system.append, text: "two of ${edit}" }
      - { op: user.suffix, text: "by {{who}}" }
    vars: { who: { from: "header:x-who", default: nobody } }
labels: { production: 1 }
`;

beforeAll(async () => {
  upstream = await startUpstream(by(({ system, user }) => answer(`${system}|${user}`)));
  const policies = worldPolicies(upstream.url, upstream.url);
  const gateway = `${policies['gateway.yaml']}`.replace(
    'stern: { targets: [scripted] }',
    'stern: { targets: [scripted], prompt: tone }',
  );
  product = await startProduct({
    policies: { ...policies, 'gateway.yaml': gateway, 'prompts/tone.yaml': prompt(0) },
    env: { HIVE_WORKERS: '2' },
  });
}, 60_000);

afterAll(async () => {
  await connections.close();
  await product?.stop();
  await upstream?.close();
});

/** Each call is another user's: one who called hundreds of times would not count. */
let users = 0;

async function call(): Promise<string> {
  users += 1;
  const { statusCode, body } = await connections.request({
    origin: product.gateway_url,
    path: '/v1/chat/completions',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-agent-id': 'stern',
      'x-user-id': `user-${users}`,
      'x-who': 'ann',
    },
    body: JSON.stringify({ model: 'stern', messages: [{ role: 'user', content: 'hi' }] }),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${statusCode} ${text}`);
  const { choices } = JSON.parse(text) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content ?? '';
}

/** Calls, eight at a time, until told to stop. */
function startCalls() {
  const heard: string[] = [];
  const failed: string[] = [];
  let going = true;
  const one = async (): Promise<void> => {
    while (going) {
      await call().then(
        (content) => heard.push(content),
        (error: unknown) => failed.push(String(error)),
      );
    }
  };
  const all = Promise.all(Array.from({ length: 8 }, one));
  const stop = (): Promise<unknown> => {
    going = false;
    return all;
  };
  return { heard, failed, stop };
}

async function ask<Answer>(path: string, body?: object): Promise<Answer> {
  const answered = await fetch(`${product.admin_url}/api/v1/prompts/${path}`, {
    method: body ? 'POST' : 'GET',
    ...(body
      ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      : {}),
  });
  if (!answered.ok) throw new Error(`${path}: ${answered.status} ${await answered.text()}`);
  return (await answered.json()) as Answer;
}

describe('prompts under load', () => {
  test('labels and files swapped under load fail no call, and are served by all', async () => {
    const calls = startCalls();
    for (let turn = 0; turn < 10; turn += 1) {
      const expected = turn % 2 === 0 ? 1 : 2;
      const version = 3 - expected;
      const { moved } = await ask<{ moved: PromptMoved }>('tone/labels', {
        label: 'production',
        version,
        expected,
      });
      expect(moved.effective).toBe(true);
      // Effective is said of every process: what is asked from here on has the new text.
      const wanted = version === 2 ? 'two of 0|hi\n\nby ann' : 'one of 0|hi';
      expect(await Promise.all(Array.from({ length: 8 }, call))).toEqual(Array(8).fill(wanted));
    }
    const back = await ask<{ moved: PromptMoved }>('tone/rollback', { expected: 1 });
    expect(back.moved).toMatchObject({ to: 2, effective: true });
    for (let edit = 1; edit <= 5; edit += 1) {
      writeFileSync(join(product.policies_dir, 'prompts', 'tone.yaml'), prompt(edit));
      await until(() => calls.heard.at(-1)?.includes(`two of ${edit}|`), {
        what: `edit ${edit}`,
      });
    }
    await calls.stop();
    expect(calls.failed).toEqual([]);
    const strange = calls.heard.filter(
      (content) => !/^(one of \d\|hi|two of \d\|hi\n\nby ann)$/.test(content),
    );
    expect(strange).toEqual([]);
    const { prompt: shown } = await until(
      async () => {
        const answered = await ask<{ prompt: PromptDetail }>('tone');
        return answered.prompt.impact.length >= 2 && answered;
      },
      { what: 'the impact of both versions' },
    );
    expect(shown.history).toHaveLength(10);
    expect(shown.impact.map(({ version }) => version)).toEqual(expect.arrayContaining([1, 2]));
  }, 120_000);
});
