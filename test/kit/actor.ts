import type { Behaviour, Exchange } from './behaviours.ts';

/**
 * An upstream that plays one small scene in each of the three APIs, by what its last user message
 * says: `whole` and `stream` are answered with the text, `tools` with a call of `get_weather` and,
 * once its result is there, with the weather; `fail` with a 400, and `hang` with a first word and
 * then silence.
 */
export function actor(): Behaviour {
  return async (exchange) => {
    const scene = sceneOf(exchange);
    const api = apiOf(exchange.request.path);
    if (scene.kind === 'fail') return sendJson(exchange, 400, api.error(REFUSAL));
    if (exchange.request.body.stream !== true) {
      if (scene.kind === 'hang') return exchange.over;
      return sendJson(exchange, 200, api.whole(scene, exchange));
    }
    exchange.response.writeHead(200, { 'content-type': 'text/event-stream' });
    const events = api.events(scene, exchange);
    for (const event of scene.kind === 'hang' ? events.slice(0, api.opening) : events) {
      exchange.response.write(event);
    }
    if (scene.kind === 'hang') return exchange.over;
    exchange.response.end();
  };
}

export const REFUSAL = 'this actor does not play that';
export const WORDS = ['one ', 'two ', 'three'] as const;
export const WEATHER = { city: 'Paris' } as const;
const USAGE = { in: 11, out: 5 } as const;

export interface Scene {
  readonly kind: 'text' | 'call' | 'fail' | 'hang';
  readonly words: readonly string[];
}

export interface Api {
  whole(scene: Scene, exchange: Exchange): object;
  events(scene: Scene, exchange: Exchange): readonly string[];
  error(message: string): object;
  /** How many of its events come up to the first word. */
  readonly opening: number;
}

/** The API that a path belongs to; chat completions where it is of none. */
export function apiOf(path: string): Api {
  if (path.endsWith('/messages')) return MESSAGES;
  return path.endsWith('/responses') ? RESPONSES : CHAT;
}

function sceneOf({ request }: Exchange): Scene {
  const text = JSON.stringify(request.body.messages ?? request.body.input ?? '');
  if (text.includes('fail')) return { kind: 'fail', words: [] };
  if (text.includes('hang')) return { kind: 'hang', words: WORDS };
  if (!text.includes('tools')) return { kind: 'text', words: WORDS };
  const answered = text.includes('21 degrees');
  return answered ? { kind: 'text', words: ['21 ', 'degrees'] } : { kind: 'call', words: [] };
}

const ARGUMENTS = JSON.stringify(WEATHER);

const CHAT: Api = {
  opening: 2,
  whole(scene, exchange) {
    const call = scene.kind === 'call';
    const message = call
      ? { role: 'assistant', content: null, tool_calls: [chatCall(exchange, ARGUMENTS)] }
      : { role: 'assistant', content: scene.words.join(''), refusal: null };
    const finish_reason = call ? 'tool_calls' : 'stop';
    return {
      ...chatBase(exchange, 'chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason }],
      usage: chatUsage(),
    };
  },
  events(scene, exchange) {
    const call = scene.kind === 'call';
    const deltas: object[] = call
      ? [
          { tool_calls: [{ index: 0, ...chatCall(exchange, '') }] },
          ...halves(ARGUMENTS).map((part) => ({
            tool_calls: [{ index: 0, function: { arguments: part } }],
          })),
        ]
      : scene.words.map((content) => ({ content }));
    const chunk = (delta: object, finish_reason: string | null) => ({
      ...chatBase(exchange, 'chat.completion.chunk'),
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    });
    const usage = {
      ...chatBase(exchange, 'chat.completion.chunk'),
      choices: [],
      usage: chatUsage(),
    };
    const asked = exchange.request.body.stream_options?.include_usage === true;
    return [
      ...[{ role: 'assistant', content: '' }, ...deltas].map((delta) => data(chunk(delta, null))),
      data(chunk({}, call ? 'tool_calls' : 'stop')),
      ...(asked ? [data(usage)] : []),
      'data: [DONE]\n\n',
    ];
  },
  error: (message) => ({
    error: { message, type: 'invalid_request_error', param: 'messages', code: 'refused' },
  }),
};

const MESSAGES: Api = {
  opening: 4,
  whole(scene, exchange) {
    const call = scene.kind === 'call';
    const block = call
      ? { type: 'tool_use', id: callId(exchange), name: 'get_weather', input: WEATHER }
      : { type: 'text', text: scene.words.join('') };
    return {
      ...messageBase(exchange),
      content: [block],
      stop_reason: call ? 'tool_use' : 'end_turn',
      usage: { input_tokens: USAGE.in, output_tokens: USAGE.out },
    };
  },
  events(scene, exchange) {
    const call = scene.kind === 'call';
    const content_block = call
      ? { type: 'tool_use', id: callId(exchange), name: 'get_weather', input: {} }
      : { type: 'text', text: '' };
    const deltas = call
      ? halves(ARGUMENTS).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
      : scene.words.map((text) => ({ type: 'text_delta', text }));
    const usage = { input_tokens: USAGE.in, output_tokens: 0 };
    const message = { ...messageBase(exchange), content: [], stop_reason: null, usage };
    const delta = { stop_reason: call ? 'tool_use' : 'end_turn', stop_sequence: null };
    return [
      { type: 'message_start', message },
      { type: 'content_block_start', index: 0, content_block },
      { type: 'ping' },
      ...deltas.map((one) => ({ type: 'content_block_delta', index: 0, delta: one })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta, usage: { output_tokens: USAGE.out } },
      { type: 'message_stop' },
    ].map(named);
  },
  error: (message) => ({ type: 'error', error: { type: 'invalid_request_error', message } }),
};

const RESPONSES: Api = {
  opening: 5,
  whole: (scene, exchange) => responseOf(exchange, [itemOf(scene, exchange)], 'completed'),
  events(scene, exchange) {
    const item = itemOf(scene, exchange);
    const of = { item_id: item.id, output_index: 0 };
    const opened = scene.kind === 'call' ? { ...item, arguments: '' } : { ...item, content: [] };
    const begun = responseOf(exchange, [], 'in_progress');
    const inner = scene.kind === 'call' ? callEvents(of) : textEvents(scene, of);
    const response = responseOf(exchange, [item], 'completed');
    return [
      { type: 'response.created', response: begun },
      { type: 'response.in_progress', response: begun },
      { type: 'response.output_item.added', output_index: 0, item: opened },
      ...inner,
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response },
    ].map((event, sequence_number) => named({ ...event, sequence_number }));
  },
  error: (message) => CHAT.error(message),
};

function callEvents(of: object): { readonly type: string }[] {
  return [
    ...halves(ARGUMENTS).map((delta) => ({
      type: 'response.function_call_arguments.delta',
      ...of,
      delta,
    })),
    { type: 'response.function_call_arguments.done', ...of, arguments: ARGUMENTS } as never,
  ];
}

function textEvents({ words }: Scene, of: object): { readonly type: string }[] {
  const at = { ...of, content_index: 0 };
  const part = { type: 'output_text', text: words.join(''), annotations: [], logprobs: [] };
  const events = [
    { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
    ...words.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...at, text: part.text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part },
  ];
  return events;
}

function itemOf(scene: Scene, exchange: Exchange): { readonly id: string } {
  const id = `item_${exchange.number}`;
  if (scene.kind === 'call') {
    const call = { call_id: callId(exchange), name: 'get_weather', arguments: ARGUMENTS };
    return { id, type: 'function_call', status: 'completed', ...call } as { readonly id: string };
  }
  const text = scene.words.join('');
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  return { id, type: 'message', role: 'assistant', status: 'completed', content } as never;
}

function responseOf(exchange: Exchange, output: readonly object[], status: string): object {
  const { in: input_tokens, out: output_tokens } = USAGE;
  const usage = {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens,
  };
  return {
    id: `resp_${exchange.number}`,
    object: 'response',
    created_at: 1_700_000_000,
    status,
    model: exchange.request.body.model ?? 'actor',
    output,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    temperature: 1,
    top_p: 1,
    usage: status === 'completed' ? usage : null,
  };
}

function chatBase({ request, number }: Exchange, object: string): object {
  const model = request.body.model ?? 'actor';
  return { id: `chatcmpl-${number}`, object, created: 1_700_000_000, model };
}

function chatCall(exchange: Exchange, text: string): object {
  const call = { name: 'get_weather', arguments: text };
  return { id: callId(exchange), type: 'function', function: call };
}

function chatUsage(): object {
  const { in: prompt_tokens, out: completion_tokens } = USAGE;
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

function messageBase({ request, number }: Exchange): object {
  const model = request.body.model ?? 'actor';
  return { id: `msg_${number}`, type: 'message', role: 'assistant', model, stop_sequence: null };
}

function callId({ number }: Exchange): string {
  return `call_${number}`;
}

function halves(text: string): readonly string[] {
  return [text.slice(0, 5), text.slice(5)];
}

function data(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function named(value: { readonly type: string; readonly sequence_number?: number }): string {
  return `event: ${value.type}\n${data(value)}`;
}

function sendJson({ response }: Exchange, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
