import {
  type Behaviour,
  type Exchange,
  type Received,
  type Script,
  startUpstream,
  status,
  type Upstream,
} from './upstream.ts';

/** An upstream that speaks Anthropic's messages; until it is scripted, it echoes the user. */
export function startAnthropicUpstream(script: Script = echoMessage()): Promise<Upstream> {
  return startUpstream(script);
}

export interface MessageOptions {
  /** Between two pieces. */
  readonly delay_ms?: number;
  readonly end?: MessageEnd;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * - `stop`: all events in order.
 * - `no-stop`: the same without `message_stop`.
 * - `cut`, `reset`: the connection ends amid the text.
 * - `error`: an `event: error` amid the text.
 * - `stall`: nothing more, until the other side goes.
 */
export type MessageEnd = 'stop' | 'no-stop' | 'cut' | 'reset' | 'error' | 'stall';

/** The text as a message, whole or streamed as the call asks for; a count where that is asked. */
export function message(text: string, options: MessageOptions = {}): Behaviour {
  return (exchange) => {
    const { request } = exchange;
    if (request.path.endsWith('/count_tokens')) return sendJson(exchange, countOf(request));
    if (request.body.stream === true) return streamMessage(exchange, text, options);
    return sendJson(exchange, messageOf(exchange, text), options.headers);
  };
}

/** Answers with the last user message. */
export function echoMessage(): Behaviour {
  return (exchange) => message(exchange.request.user)(exchange);
}

/** A refusal in Anthropic's shape. */
export function refusal(code: number, type: string, headers = {}): Behaviour {
  const body = { type: 'error', error: { type, message: `scripted ${type}` }, request_id: 'req_1' };
  return status(code, body, { 'request-id': 'req_1', ...headers });
}

function messageOf({ request, number }: Exchange, text: string): object {
  return {
    id: `msg_${number}`,
    type: 'message',
    role: 'assistant',
    model: request.body.model ?? 'scripted',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { ...countOf(request), output_tokens: wordsOf(text).length },
  };
}

function countOf(request: Received): { readonly input_tokens: number } {
  return { input_tokens: wordsOf(JSON.stringify(request.body.messages ?? [])).length };
}

async function streamMessage(
  exchange: Exchange,
  text: string,
  { delay_ms, end = 'stop', headers }: MessageOptions,
): Promise<void> {
  const { response, request } = exchange;
  response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
  const whole = messageOf(exchange, '') as { readonly usage: object };
  const begun = { ...whole, content: [], stop_reason: null };
  const opening: readonly StreamEvent[] = [
    { type: 'message_start', message: begun },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
  ];
  const deltas = wordsOf(text).map((piece) => {
    const delta = { type: 'text_delta', text: piece };
    return { type: 'content_block_delta', index: 0, delta };
  });
  // Without a pause between them they are one packet: whoever waits has all of them, or none.
  if (!delay_ms) await write(exchange, ...opening, ...deltas);
  else await writeSlowly(exchange, delay_ms, opening, deltas);
  if (end === 'stall') return exchange.over;
  if (end === 'cut') return exchange.cut('end');
  if (end === 'reset') return exchange.cut('reset');
  if (end === 'error') {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    await write(exchange, { type: 'error', error });
    response.end();
    return;
  }
  await write(exchange, { type: 'content_block_stop', index: 0 });
  const usage = { ...countOf(request), output_tokens: wordsOf(text).length };
  const delta = { stop_reason: 'end_turn', stop_sequence: null };
  await write(exchange, { type: 'message_delta', delta, usage });
  if (end === 'stop') await write(exchange, { type: 'message_stop' });
  response.end();
}

type StreamEvent = { readonly type: string; readonly [field: string]: unknown };

async function writeSlowly(
  exchange: Exchange,
  delay_ms: number,
  opening: readonly StreamEvent[],
  deltas: readonly StreamEvent[],
): Promise<void> {
  await write(exchange, ...opening);
  for (const delta of deltas) {
    await exchange.pause(delay_ms);
    await write(exchange, delta);
  }
}

function write({ response }: Exchange, ...all: readonly StreamEvent[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const named = (data: StreamEvent) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
    response.write(all.map(named).join(''), (error) => (error ? reject(error) : resolve()));
  });
}

function sendJson({ response }: Exchange, body: object, headers = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function wordsOf(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}
