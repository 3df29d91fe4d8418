import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** What a scripted upstream can do with a call; each factory names one behaviour of real ones. */
export type Behaviour = (exchange: Exchange) => void | Promise<void>;

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As they were sent, names and values alternating. */
  readonly raw_headers: readonly string[];
  /** The body's bytes. */
  readonly raw: Buffer;
  /** The parsed body, `{}` where it is not a JSON object. */
  readonly body: ChatBody;
  /** The text of the system and developer messages, joined by newlines. */
  readonly system: string;
  /** The text of the last user message. */
  readonly user: string;
  /** The other side went away before this answer was complete. */
  readonly aborted: boolean;
  /** The exchange is over, however it ended. */
  readonly ended: boolean;
}

export interface ChatBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
  readonly [field: string]: unknown;
}

export interface Exchange {
  readonly request: Received;
  readonly response: ServerResponse;
  /** The number of this call, from 1. */
  readonly number: number;
  /** Waits, at most 30 s at once; rejects as soon as the exchange is over. */
  pause(ms: number): Promise<void>;
  /** Resolves when the other side has gone, or the upstream closes. */
  readonly over: Promise<void>;
  /** Breaks the connection from this side: in order (FIN), or with a reset (RST). */
  cut(how: 'end' | 'reset'): void;
}

/** The text, whole or streamed as the call asks for. */
export function answer(text: string, options: StreamOptions = {}): Behaviour {
  return (exchange) => {
    if (exchange.request.body.stream === true) return stream(wordsOf(text), options)(exchange);
    sendJson(exchange, 200, completionOf(exchange, text));
    return undefined;
  };
}

/** Answers with the last user message. */
export function echo(): Behaviour {
  return by((request) => answer(request.user));
}

/** A behaviour chosen by what the request says. */
export function by(choose: (request: Received) => Behaviour): Behaviour {
  return (exchange) => choose(exchange.request)(exchange);
}

/** An answer that depends on the system text received: how a prompt patch shows its effect. */
export function bySystem(choose: (system: string) => Behaviour): Behaviour {
  return by((request) => choose(request.system));
}

/** The first behaviour after a delay. */
export function delayed(ms: number, behaviour: Behaviour): Behaviour {
  return async (exchange) => {
    await exchange.pause(ms);
    await behaviour(exchange);
  };
}

export interface StreamOptions {
  /** Between two chunks. */
  readonly delay_ms?: number;
  /** Before the headers. */
  readonly first_ms?: number;
  readonly end?: StreamEnd;
  readonly headers?: OutgoingHttpHeaders;
}

/**
 * - `done`: finish_reason, usage where asked for, `[DONE]`, in order.
 * - `no-done`: finish_reason, then the end without `[DONE]`.
 * - `silent`: the end without finish_reason and without `[DONE]`.
 * - `cut`: the connection ends without the last chunk of the transfer coding.
 * - `reset`: the connection is reset.
 * - `stall`: nothing more, until the other side goes.
 */
export type StreamEnd = 'done' | 'no-done' | 'silent' | 'cut' | 'reset' | 'stall';

/** A piece of the answer's text, or bytes that go out as they are (a malformed chunk). */
export type Piece = string | { readonly raw: string | Uint8Array };

/** Server-sent events, one a piece, and an end of any kind. */
export function stream(pieces: readonly Piece[], options: StreamOptions = {}): Behaviour {
  return async (exchange) => {
    if (options.first_ms) await exchange.pause(options.first_ms);
    openStream(exchange, options.headers);
    for (const [index, piece] of pieces.entries()) {
      if (index > 0 && options.delay_ms) await exchange.pause(options.delay_ms);
      await send(exchange, typeof piece === 'string' ? textEvent(exchange, piece, index) : piece);
    }
    await endStream(exchange, options.end ?? 'done');
  };
}

/** The same stream in slices of a few bytes, so that events and characters are cut anywhere. */
export function drip(text: string, options: { bytes?: number; delay_ms?: number } = {}): Behaviour {
  return async (exchange) => {
    const { bytes = 1, delay_ms = 1 } = options;
    const events = wordsOf(text).map((word, index) => textEvent(exchange, word, index).raw);
    const whole = Buffer.from([...events, ...lastEvents(exchange)].join(''));
    openStream(exchange);
    for (let at = 0; at < whole.length; at += bytes) {
      await send(exchange, { raw: whole.subarray(at, at + bytes) });
      await exchange.pause(delay_ms);
    }
    exchange.response.end();
  };
}

/** Any status; an object is sent as JSON, a string as it is. */
export function status(
  code: number,
  body: object | string = openAiError(code),
  headers: OutgoingHttpHeaders = {},
): Behaviour {
  return (exchange) => {
    if (typeof body !== 'string') return sendJson(exchange, code, body, headers);
    exchange.response.writeHead(code, { 'content-type': 'text/plain', ...headers });
    exchange.response.end(body);
  };
}

/** What a proxy before the upstream says: HTML where JSON is expected. */
export function htmlError(code = 502): Behaviour {
  const page = `<html><head><title>${code}</title></head><body><h1>Bad Gateway</h1></body></html>`;
  return status(code, page, { 'content-type': 'text/html' });
}

/** A connection reset, before the headers or right after them. */
export function reset(when: 'before-headers' | 'after-headers' = 'before-headers'): Behaviour {
  return (exchange) => {
    if (when === 'before-headers') return exchange.cut('reset');
    const headers = { 'content-type': 'application/json', 'content-length': '1000' };
    exchange.response.writeHead(200, headers);
    exchange.response.write('{"id":', () => exchange.cut('reset'));
  };
}

/** Nothing, before or after the headers, until the other side goes. */
export function stall(when: 'before-headers' | 'after-headers' = 'before-headers'): Behaviour {
  return (exchange) => {
    if (when === 'before-headers') return exchange.over;
    if (exchange.request.body.stream === true) openStream(exchange);
    else exchange.response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    return exchange.over;
  };
}

/** One chunk that is not JSON amid good ones. */
export function malformedChunk(): Behaviour {
  return stream(['one ', { raw: 'data: {"choices":[{"delta":{"content":"tw\n\n' }, 'three']);
}

/** OpenAI's error body for a status. */
export function openAiError(code: number, message = `scripted ${code}`): object {
  const type = code === 429 ? 'rate_limit_error' : 'server_error';
  return { error: { message, type, param: null, code: code === 429 ? 'rate_limited' : null } };
}

function completionOf({ request, number }: Exchange, text: string): object {
  return {
    id: `chatcmpl-${number}`,
    object: 'chat.completion',
    created: 1_700_000_000,
    model: request.body.model ?? 'scripted',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: usageOf(request, text),
  };
}

function usageOf(request: Received, text: string): object {
  const prompt = wordsOf(`${request.system} ${request.user}`).length;
  const completion = wordsOf(text).length;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}

function chunkOf({ request, number }: Exchange, choices: readonly object[], more = {}): string {
  const chunk = {
    id: `chatcmpl-${number}`,
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: request.body.model ?? 'scripted',
    choices,
    ...more,
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function textEvent(exchange: Exchange, text: string, index: number): { readonly raw: string } {
  const delta = index === 0 ? { role: 'assistant', content: text } : { content: text };
  return { raw: chunkOf(exchange, [{ index: 0, delta, finish_reason: null }]) };
}

function lastEvents(exchange: Exchange): string[] {
  const events = [chunkOf(exchange, [{ index: 0, delta: {}, finish_reason: 'stop' }])];
  if (exchange.request.body.stream_options?.include_usage === true) {
    events.push(chunkOf(exchange, [], { usage: usageOf(exchange.request, 'a few words') }));
  }
  return [...events, 'data: [DONE]\n\n'];
}

function openStream({ response }: Exchange, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
  response.flushHeaders();
}

/** Resolves once the bytes have left, so that a cut afterwards does not swallow them. */
function send({ response }: Exchange, piece: { readonly raw: string | Uint8Array }): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(piece.raw, (error) => (error ? reject(error) : resolve()));
  });
}

async function endStream(exchange: Exchange, end: StreamEnd): Promise<void> {
  if (end === 'stall') return exchange.over;
  if (end === 'cut') return exchange.cut('end');
  if (end === 'reset') return exchange.cut('reset');
  const events = end === 'silent' ? [] : lastEvents(exchange);
  if (end === 'no-done') events.pop();
  exchange.response.end(events.join(''));
}

function sendJson(
  exchange: Exchange,
  code: number,
  body: object,
  headers: OutgoingHttpHeaders = {},
): void {
  exchange.response.writeHead(code, { 'content-type': 'application/json', ...headers });
  exchange.response.end(JSON.stringify(body));
}

/** Words with the white space after them, so that joined they are the text again. */
function wordsOf(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}
