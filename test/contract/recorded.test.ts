import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import type { Json, JsonObject } from '../../src/core/canonical.ts';
import { instantiate } from '../../src/core/definition.ts';
import { isObject, objectsIn, textIn } from '../../src/core/json-values.ts';
import type { Provider } from '../../src/core/provider.ts';
import { providers } from '../../src/providers/index.ts';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { type Recording, recordings, replay } from '../kit/recordings.ts';
import { by, startUpstream, type Upstream } from '../kit/upstream.ts';
import { answerOf, requestFor, sent } from '../providers/provider-kit.ts';
import { ONCE, serve } from './contract-kit.ts';

/** Answers in recorded shape, through the gateway and to the clients that read them. */
const ALL = recordings();
const GOOD = ALL.filter(({ told }) => told.error === undefined);
const CHATS = GOOD.filter(({ endpoint }) => endpoint === 'chat.completions');
const MESSAGES = GOOD.filter(({ endpoint }) => endpoint === 'messages');

const PATHS: Readonly<Record<Endpoint, string>> = {
  'chat.completions': '/v1/chat/completions',
  completions: '/v1/completions',
  responses: '/v1/responses',
  'responses.input_tokens': '/v1/responses/input_tokens',
  'responses.compact': '/v1/responses/compact',
  embeddings: '/v1/embeddings',
  moderations: '/v1/moderations',
  messages: '/v1/messages',
  'messages.count_tokens': '/v1/messages/count_tokens',
};

let upstream: Upstream;
let running: RunningGateway;

beforeAll(async () => {
  const known = new Map(ALL.map((one) => [one.name, replay(one)]));
  upstream = await startUpstream(
    by(({ path }) => known.get(path.split('/').slice(1, 3).join('/')) ?? (() => undefined)),
  );
  const targets = ALL.map((one) => {
    const model = typeof one.request.model === 'string' ? one.request.model : 'recorded';
    return [one.name, { provider: providerOf(one, upstream.port), model }] as const;
  });
  const agents = ALL.map(({ name }) => [name, { targets: [name] }] as const);
  running = await serve({
    targets: Object.fromEntries(targets),
    agents: Object.fromEntries(agents),
    resilience: ONCE,
  });
});

afterAll(async () => {
  await running.close();
  await upstream.close();
});

/** The provider as a policy would make it, towards the upstream that plays its recording. */
function providerOf({ name, provider }: Pick<Recording, 'name' | 'provider'>, port = 1): Provider {
  const definition = providers.get(provider);
  if (!definition) throw new Error(`no provider ${provider}`);
  const url = `http://127.0.0.1:${port}/${name}`;
  const own = provider === 'embedded' ? { model: 'echo.gguf', adapters: { upper: 'u.gguf' } } : {};
  const options = provider === 'embedded' ? own : { base_url: url, api_key: 'unused' };
  return instantiate(definition, options, { name: provider, engineUrl: () => url }) as Provider;
}

/** The recorded request once more, with the agent's name for its model. */
async function ask({ name, endpoint, request }: Recording) {
  const number = running.events().length + 1;
  const response = await fetch(`${running.url}${PATHS[endpoint]}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...request, model: name }),
  });
  const body = Buffer.from(await response.arrayBuffer());
  return { response, body, event: await running.event(number) };
}

describe('relay', () => {
  test.each(GOOD)('relays $name as it was recorded', async (recording) => {
    const { response, body } = await ask(recording);
    expect(response.status).toBe(200);
    if (recording.streams) expect(body.toString()).toBe(streamFor(recording));
    else expect(body.equals(recording.bytes)).toBe(true);
    for (const [name, value] of Object.entries(recording.headers)) {
      if (/^(x|anthropic)-ratelimit-/.test(name)) expect(response.headers.get(name)).toBe(value);
    }
  });

  test.each(GOOD)('sends the request of $name as it was recorded', async (recording) => {
    const before = upstream.requests.length;
    await ask(recording);
    const { body: received } = upstream.requests[before] as { readonly body: unknown };
    const { stream_options: _, ...body } = received as JsonObject;
    const { stream_options: __, max_completion_tokens, ...request } = recording.request;
    const limit = body.max_completion_tokens ?? body.max_tokens ?? null;
    expect(limit).toBe(max_completion_tokens ?? request.max_tokens ?? null);
    const named = request.model === undefined ? { model: 'recorded' } : {};
    expect({ ...body, max_tokens: 0, max_completion_tokens: 0 }).toEqual({
      ...named,
      ...request,
      max_tokens: 0,
      max_completion_tokens: 0,
    });
  });
});

/** Its events, but for usage that nobody asked for; `[DONE]` where the provider leaves it out. */
function streamFor({ bytes, request, endpoint }: Recording): string {
  const options = request.stream_options;
  const asked = isObject(options) && options.include_usage === true;
  const events = bytes.toString().split(/(?<=\n\n)/);
  const first = events.findIndex((event) => !event.startsWith(':'));
  const kept = events.slice(first).filter((event) => {
    const extra = event.includes('"choices":[],') && /"usage":\{/.test(event);
    // An error behind the finish reason: the answer is whole, and clients would throw.
    return !(extra && !asked) && !event.includes('"error":{"code":400');
  });
  const chat = endpoint === 'chat.completions';
  const done = chat && !kept.at(-1)?.includes('[DONE]') ? 'data: [DONE]\n\n' : '';
  return kept.join('') + done;
}

describe('capture', () => {
  test.each(GOOD)('records of $name what it says of itself', async (recording) => {
    const { told } = recording;
    const { event } = await ask(recording);
    expect(event.outcome).toBe('ok');
    expect(event.finish).toBe(told.finish ?? null);
    if (told.id !== undefined) expect(event.completion_id).toBe(told.id);
    if (told.tokens === undefined) expect(event.tokens.estimated).toBe(true);
    else expect(event.tokens).toEqual({ ...told.tokens, estimated: false });
  });

  const FAILED = ALL.filter(({ told }) => told.error !== undefined);
  test.each(FAILED)('classes the error of $name', async (recording) => {
    const error = recording.told.error as NonNullable<Recording['told']['error']>;
    const { response, body, event } = await ask(recording);
    expect(event.outcome).toBe('error');
    expect(event.attempts).toMatchObject([{ outcome: 'error', error: error.code }]);
    // That of a stream, too: it came before the first token.
    expect(response.status).toBe(error.status);
    if (recording.streams) return;
    const { status, headers, bytes } = recording;
    const decoded = providerOf(recording).decode(answerOf(bytes.toString(), { status, headers }));
    expect(decoded).toMatchObject({ ok: false, error: { class: error.class } });
    const said = (JSON.parse(bytes.toString()) as { error: JsonObject }).error.message as string;
    expect(body.toString().includes(said)).toBe(error.class !== 'credentials');
  });
});

describe('translation to Anthropic’s messages', () => {
  test.each(CHATS)('tells $name as a message', async ({ name, streams, told }) => {
    const client = new Anthropic({ baseURL: running.url, apiKey: 'unused', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'Neutral question.' }];
    const body = { model: name, max_tokens: 64, messages };
    const message = await (streams
      ? client.messages.stream(body).finalMessage()
      : client.messages.create(body));
    const blocks = objectsIn(message.content as unknown as Json);
    expect(joined(blocks, 'text')).toBe(told.text ?? '');
    expect(joined(blocks, 'thinking')).toBe(told.thinking ?? '');
    const uses = blocks.filter(({ type }) => type === 'tool_use');
    expect(uses.map((use) => [use.name, use.input])).toEqual(told.tools ?? []);
    expect(message.stop_reason).toBe(told.other_finish);
    if (told.id) expect(message.id).toBe(`msg_${told.id.replace('chatcmpl-', '')}`);
    if (told.tokens === undefined) return;
    const { usage } = message;
    const cached = usage.cache_read_input_tokens ?? 0;
    const written = usage.cache_creation_input_tokens ?? 0;
    expect(usage.input_tokens + cached + written).toBe(told.tokens.in);
    expect(cached).toBe(told.tokens.cached);
    expect(usage.output_tokens).toBe(told.tokens.out);
    const details = (usage as unknown as JsonObject).output_tokens_details;
    expect(isObject(details) ? details.thinking_tokens : undefined).toBe(told.reasoning_tokens);
  });

  test.each(CHATS)('drops nothing of the request of $name in silence', ({ request }) => {
    const said = sent(providerOf({ name: 'any', provider: 'anthropic' }), chatOf(request));
    expectNothingLost(request, said);
  });
});

function chatOf(request: JsonObject) {
  return requestFor('chat.completions', request);
}

function joined(blocks: readonly JsonObject[], kind: 'text' | 'thinking'): string {
  return blocks.map((block) => (block.type === kind ? textIn(block[kind]) : '')).join('');
}

/** Each sentence of a request is in what is sent, or a note names the place it stood in. */
function expectNothingLost(request: JsonObject, said: ReturnType<typeof sent>): void {
  const lost = sentencesIn(request, []).filter(({ text, path }) => {
    const noted = path.some((key) => said.notes.some((note) => note.includes(key)));
    return !said.text.includes(text) && !noted;
  });
  expect(lost).toEqual([]);
}

interface Sentence {
  readonly text: string;
  readonly path: readonly string[];
}

function sentencesIn(value: Json | undefined, path: readonly string[]): readonly Sentence[] {
  if (typeof value === 'string') return value.startsWith('Neutral') ? [{ text: value, path }] : [];
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((one) => sentencesIn(one, path));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, one]) => sentencesIn(one, [...path, key]));
}

describe('translation to OpenAI’s chat', () => {
  test.each(MESSAGES)('tells $name as a chat completion', async ({ name, streams, told }) => {
    const client = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: 'unused', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'Neutral question.' }];
    const body = { model: name, messages, stream_options: { include_usage: true } };
    const completion = streams
      ? await chatFrom(client.chat.completions.stream(body))
      : await client.chat.completions.create({ model: name, messages });
    const [choice] = completion.choices;
    const message = choice?.message as unknown as JsonObject;
    expect(message.content ?? '').toBe(told.text ?? '');
    const calls = objectsIn(message.tool_calls).map(({ function: made }) => made as JsonObject);
    const made = calls.map((call) => [call.name, JSON.parse(call.arguments as string)]);
    expect(made).toEqual(told.tools ?? []);
    expect(choice?.finish_reason).toBe(told.other_finish);
    expect(completion.id).toBe(told.id?.replace('msg_', 'chatcmpl-'));
    const { usage } = completion;
    expect(usage?.prompt_tokens).toBe(told.tokens?.in);
    expect(usage?.prompt_tokens_details?.cached_tokens).toBe(told.tokens?.cached);
    expect(usage?.completion_tokens).toBe(told.tokens?.out);
  });

  const THOUGHT = MESSAGES.filter(({ told }) => told.thinking ?? told.redacted);
  test.each(THOUGHT)('keeps what $name thought, signatures too', async (recording) => {
    const { name, streams, told } = recording;
    const stream = streams ? { stream: true } : {};
    const messages = [{ role: 'user', content: 'Neutral question.' }];
    const answer = await running.post({ model: name, messages, ...stream });
    const text = await answer.text();
    const blocks = [...text.matchAll(/"thinking_blocks":(\[.*?\])/g)].flatMap(
      ([, list]) => JSON.parse(list as string) as JsonObject[],
    );
    const whole = (key: string) => blocks.map((block) => textIn(block[key])).join('');
    expect(whole('thinking')).toBe(told.thinking ?? '');
    expect(whole('signature')).toBe(told.signature ?? '');
    expect(whole('data')).toBe(told.redacted ?? '');
  });

  test.each(MESSAGES)('drops nothing of the request of $name in silence', ({ request }) => {
    const said = sent(providerOf({ name: 'any', provider: 'openai' }), messageOf(request));
    expectNothingLost(request, said);
  });
});

function messageOf(request: JsonObject) {
  return requestFor('messages', request);
}

/** What the SDK puts together of a stream, also where it throws for how the answer ended. */
async function chatFrom(stream: ReturnType<OpenAI['chat']['completions']['stream']>) {
  const final = stream.finalChatCompletion();
  return final.catch((thrown: unknown) => {
    const snapshot = stream.currentChatCompletionSnapshot;
    if (!snapshot) throw thrown;
    return snapshot as unknown as Awaited<typeof final>;
  });
}
