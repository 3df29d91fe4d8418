import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ANTHROPIC_TARGET, OPENAI_TARGET, type Stage } from './stage.ts';

/** Raw curl, as documentation shows it. */
const run = promisify(execFile);
export const noCurl = await run('curl', ['--version']).then(
  () => 'present',
  () => 'missing: apt-get install curl',
);

export interface Api {
  readonly path: string;
  readonly key: string;
  ask(target: string, text: string, more?: object): object;
  readonly word: string;
  readonly end: string;
}

export const CHAT: Api = {
  path: '/v1/chat/completions',
  key: 'authorization: Bearer unused',
  ask: (model, content, more) => ({ model, messages: [{ role: 'user', content }], ...more }),
  word: '"content":"one "',
  end: 'data: [DONE]',
};
export const MESSAGES: Api = {
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
export const ALL = [CHAT, MESSAGES].flatMap((api) =>
  [OPENAI_TARGET, ANTHROPIC_TARGET].map((target) => [api.path, target, api] as const),
);

/** `more`: arguments of its own, such as how often it tries again. */
export function curlArguments(
  { product }: Stage,
  api: Api,
  body: object,
  ...more: readonly string[]
): string[] {
  return [
    ['-sS', '-N', '-w', '\n%{http_code}'],
    more,
    ['-X', 'POST', product.gateway_url + api.path],
    ['-H', 'content-type: application/json'],
    ['-H', api.key],
    ['-H', 'anthropic-version: 2023-06-01'],
    ['-d', JSON.stringify(body)],
  ].flat();
}

/** What it printed, and the status of its last answer. */
export async function runCurl(args: readonly string[]) {
  const { stdout } = await run('curl', [...args]);
  const cut = stdout.lastIndexOf('\n');
  return { text: stdout.slice(0, cut), status: Number(stdout.slice(cut + 1)) };
}
