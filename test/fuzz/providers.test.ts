import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import { GatewayError, messageOf } from '../../src/core/errors.ts';
import { apiOf } from '../kit/actor.ts';
import type { Exchange } from '../kit/behaviours.ts';
import { answerOf, make, requestFor, START } from '../providers/provider-kit.ts';
import { type Chance, createChance, seedOf } from './chance.ts';
import { GOOD } from './fuzz-request.ts';
import { mutateJson } from './mutate.ts';

/** Providers are pure functions of what strangers send, on either side: none of them may throw. */
const SEED = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000));
const RUNS = 3000;

const PAIRS: readonly (readonly [string, Endpoint, string, string])[] = [
  ['openai', 'chat.completions', '/v1/chat/completions', '/v1/chat/completions'],
  ['openai', 'messages', '/v1/messages', '/v1/chat/completions'],
  ['openai', 'responses', '/v1/responses', '/v1/responses'],
  ['anthropic', 'messages', '/v1/messages', '/v1/messages'],
  ['anthropic', 'chat.completions', '/v1/chat/completions', '/v1/messages'],
  ['deepseek', 'messages', '/v1/messages', '/v1/chat/completions'],
];
const SCENES = [
  { kind: 'text', words: ['one ', 'two'] },
  { kind: 'call', words: [] },
] as const;
const EXCHANGE = {
  request: { body: { model: 'm', stream_options: { include_usage: true } } },
  number: 1,
} as unknown as Exchange;

/** What was thrown, by the case that did it; a refusal of the gateway's own is none. */
function thrownIn(run: (chance: Chance) => unknown): string[] {
  const thrown: string[] = [];
  for (let index = 0; index < RUNS && thrown.length < 5; index += 1) {
    try {
      run(createChance(seedOf(SEED, index)));
    } catch (error) {
      if (error instanceof GatewayError) continue;
      const where = error instanceof Error ? (error.stack ?? '').split('\n')[1] : '';
      thrown.push(`case ${index} of seed ${SEED}: ${messageOf(error)} ${where}`);
    }
  }
  return thrown;
}

describe.each(PAIRS)('%s for %s', (use, endpoint, path, upstream_path) => {
  const provider = make(use, { api_key: 'k' });
  const api = apiOf(upstream_path);

  test('encode throws at no body', () => {
    const thrown = thrownIn((chance) => {
      const body = mutateJson(chance, GOOD[path] ?? {}, 1 + chance.int(4));
      if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
      const { body: bytes } = provider.encode(requestFor(endpoint, body));
      JSON.parse(Buffer.from(bytes).toString('utf8'));
    });
    expect(thrown).toEqual([]);
  });

  test('decode throws at no answer', () => {
    const thrown = thrownIn((chance) => {
      const body = mutateJson(chance, api.whole(chance.pick(SCENES), EXCHANGE), 1 + chance.int(4));
      const failed = mutateJson(chance, api.error('no'), chance.int(3));
      const status = chance.pick([400, 429, 500]);
      const answers = [{ body }, { body: failed, status }];
      for (const { body: said, ...more } of answers) {
        const bytes = JSON.stringify(said) ?? '';
        const decoded = provider.decode(answerOf(bytes, { endpoint, ...more }));
        if (decoded.ok) JSON.parse(Buffer.from(decoded.body).toString('utf8'));
        else JSON.stringify(decoded.error);
      }
    });
    expect(thrown).toEqual([]);
  });

  test('a stream’s decoder throws at no event, and writes only JSON', () => {
    const thrown = thrownIn((chance) => {
      const decoder = provider.openStream({ ...START, endpoint });
      for (const event of api.events(chance.pick(SCENES), EXCHANGE)) {
        const json = /^data: (\{[^\n]*\})$/m.exec(event)?.[1];
        const changed =
          json !== undefined && chance.maybe(0.4)
            ? JSON.stringify(mutateJson(chance, JSON.parse(json), 1 + chance.int(3)))
            : null;
        const bytes = changed === null ? event : event.replace(json ?? '', () => changed);
        const chunk = decoder.decode(Buffer.from(bytes));
        if (chunk.done || chunk.error || chunk.malformed) return;
        checkEvents(chunk.event);
      }
      checkEvents(decoder.finish?.().event ?? null);
    });
    expect(thrown).toEqual([]);
  });
});

function checkEvents(events: Uint8Array | null): void {
  const text = Buffer.from(events ?? []).toString('utf8');
  for (const [, data = ''] of text.matchAll(/^data: ([^\n]*)$/gm)) {
    if (data !== '[DONE]') JSON.parse(data);
  }
}
