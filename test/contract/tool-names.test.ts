import Anthropic from '@anthropic-ai/sdk';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { anthropicAt } from '../gateway/snapshot.ts';
import { type Behaviour, startUpstream, type Upstream } from '../kit/upstream.ts';
import { serve } from './contract-kit.ts';

let gateway: RunningGateway;
let upstream: Upstream;
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const LONG = `mcp__warehouse__${'look_up_'.repeat(13)}item`;

interface SentTool {
  readonly function: { readonly name: string };
}

/** A chat upstream that calls the first tool that it is offered. */
const callsTool: Behaviour = ({ request, response }) => {
  const [tool] = request.body.tools as readonly SentTool[];
  const called = { name: tool?.function.name ?? '', arguments: '{"a":1}' };
  const frame = { id: 'chatcmpl-1', created: 1, model: 'm' };
  const call = { index: 0, id: 'call_1', type: 'function', function: called };
  if (request.body.stream !== true) {
    response.writeHead(200, { 'content-type': 'application/json' });
    const message = { role: 'assistant', content: null, tool_calls: [call] };
    const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
    response.end(JSON.stringify({ ...frame, object: 'chat.completion', choices }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const [delta, finish_reason] of [
    [{ role: 'assistant', tool_calls: [call] }, null],
    [{}, 'tool_calls'],
  ] as const) {
    const choices = [{ index: 0, delta, finish_reason }];
    const chunk = { ...frame, object: 'chat.completion.chunk', choices };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
  response.end('data: [DONE]\n\n');
};

describe('a tool’s long name, from Anthropic’s client to a chat upstream', () => {
  const body = {
    model: 'default',
    max_tokens: 50,
    tools: [{ name: LONG, input_schema: { type: 'object' as const } }],
    tool_choice: { type: 'tool' as const, name: LONG },
    messages: [
      { role: 'user' as const, content: 'hi' },
      {
        role: 'assistant' as const,
        content: [{ type: 'tool_use' as const, id: 'toolu_1', name: LONG, input: {} }],
      },
      {
        role: 'user' as const,
        content: [{ type: 'tool_result' as const, tool_use_id: 'toolu_1', content: 'none' }],
      },
    ],
  };
  const start = async () => {
    upstream = await startUpstream(callsTool);
    gateway = await serve({ targets: { main: upstream.url } });
    return new Anthropic({ baseURL: gateway.url, apiKey: 'unused', maxRetries: 0 });
  };

  test('is one that OpenAI takes, everywhere the same, and comes back whole', async () => {
    const claude = await start();
    const { data, response } = await claude.messages.create(body).withResponse();
    expect(data.content).toMatchObject([{ type: 'tool_use', name: LONG, input: { a: 1 } }]);
    expect(response.headers.get('x-hive-notes')).toMatch(/^tools\.name: shortened/);
    const sent = upstream.calls[0]?.body ?? {};
    const text = JSON.stringify(sent);
    expect(text).not.toContain(LONG);
    const [name] = (sent.tools as readonly SentTool[]).map((tool) => tool.function.name);
    expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(text.split(`"name":"${name}"`)).toHaveLength(4);
  });

  test('comes back whole in a stream too', async () => {
    const claude = await start();
    const made = await claude.messages.stream(body).finalMessage();
    expect(made.content).toMatchObject([{ type: 'tool_use', name: LONG, input: { a: 1 } }]);
    expect(made.stop_reason).toBe('tool_use');
  });
});

/** Anthropic's upstream, which calls a tool: twice, though it was asked for one call. */
const usesTool: Behaviour = ({ request, response }) => {
  const use = (number: number) => ({ type: 'tool_use', id: `toolu_${number}`, name: 'now' });
  const input = { zone: 'UTC' };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude' };
  const usage = { input_tokens: 3, output_tokens: 2 };
  const content = [1, 2].map((number) => ({ ...use(number), input }));
  if (request.body.stream !== true) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...message, content, stop_reason: 'tool_use', usage }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = (type: string, more: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  event('message_start', { message: { ...message, content: [], stop_reason: null, usage } });
  for (const index of [0, 1]) {
    event('content_block_start', { index, content_block: { ...use(index + 1), input: {} } });
    for (const partial_json of ['{"zone":', '"UTC"}']) {
      event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json } });
    }
    event('content_block_stop', { index });
  }
  event('message_delta', { delta: { stop_reason: 'tool_use' }, usage });
  event('message_stop', {});
  response.end();
};

describe('functions of a client of before tools, answered by Anthropic', () => {
  const body = {
    model: 'default',
    messages: [{ role: 'user' as const, content: 'when?' }],
    functions: [{ name: 'now', parameters: { type: 'object', properties: {} } }],
    function_call: { name: 'now' },
  };
  const start = async () => {
    upstream = await startUpstream(usesTool);
    gateway = await serve({ targets: { main: { provider: anthropicAt(upstream.url) } } });
    return gateway.client;
  };
  const call = { name: 'now', arguments: '{"zone":"UTC"}' };

  test('are tools there, and the call comes back as a function_call', async () => {
    const client = await start();
    const { data, response } = await client.chat.completions.create(body).withResponse();
    expect(data.choices).toMatchObject([
      { finish_reason: 'function_call', message: { content: null, function_call: call } },
    ]);
    expect(data.choices[0]?.message).not.toHaveProperty('tool_calls');
    expect(response.headers.get('x-hive-notes')).toBe(
      'answer.content.tool_use: only the first call',
    );
    expect(upstream.requests[0]?.body).toMatchObject({
      tools: [{ name: 'now' }],
      tool_choice: { type: 'tool', name: 'now', disable_parallel_tool_use: true },
    });
  });

  test('are answered so in a stream too, and the next turn is understood', async () => {
    const client = await start();
    const stream = client.chat.completions.stream({ ...body, stream: true });
    const made = await stream.finalChatCompletion();
    expect(made.choices).toMatchObject([
      { finish_reason: 'function_call', message: { function_call: call } },
    ]);
    const message = made.choices[0]?.message;
    const messages = [
      ...body.messages,
      { role: 'assistant' as const, content: null, function_call: message?.function_call ?? null },
      { role: 'function' as const, name: 'now', content: '12:00' },
    ];
    await client.chat.completions.create({ ...body, function_call: 'auto', messages });
    expect(upstream.requests[1]?.body.messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ type: 'tool_use', input: { zone: 'UTC' } }] },
      { role: 'user', content: [{ type: 'tool_result', content: '12:00' }] },
    ]);
  });
});
