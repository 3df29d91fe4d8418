import { bufferOf } from '../core/buffer-of.ts';
import type { Dialect, Reply } from '../core/call.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { Clock } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import { isLimitHeader, isPlainHeader } from '../core/limit-headers.ts';
import { printable } from '../core/printable.ts';
import { notesText } from '../core/translate/notes.ts';
import type { Assignment } from './canary/assign.ts';
import type { Client } from './client.ts';
import type { TurnEnd } from './clock/turn-end.ts';
import type { StartedFeedback } from './deps.ts';
import { errorBody, errorHeaders } from './error-body.ts';
import type { InboundRequest, OutboundResponse } from './front/inbound.ts';
import { costInAll, type Progress } from './hooks/progress.ts';
import { discardBody, lengthOf } from './parse.ts';
import type { UpstreamHeaders } from './upstream/upstream.ts';

/** One request and its answer: what every response is written from, once. */
export interface Exchange {
  readonly request: InboundRequest;
  readonly response: OutboundResponse;
  readonly client: Client;
  readonly call_id: string;
  readonly request_id: string;
  /** In whose words the client is answered, errors too. */
  readonly dialect: Dialect;
  /** Policy time of its arrival. */
  readonly at_ms: number;
  readonly progress: Progress;
  readonly clock: Pick<Clock, 'monotonic_ms'>;
  readonly turn: TurnEnd;
  /** How long the client may take nothing of what is sent. */
  readonly stall_ms: number;
  /** The policy's version, until the call is assigned one of its own. */
  version: string;
  assignment: Assignment | null;
  feedback: StartedFeedback | null;
  /** Headers of the upstream that the client may see. */
  upstream: UpstreamHeaders;
}

/** Proxies refuse an answer whose headers together are over 4 KiB. */
const NOTES_BYTES_MAX = 2048;
/** How long a client may go on sending a body that is refused, before its connection is closed. */
const LINGER_MS = 1000;

/**
 * The headers of our own, names and values by turns, as `writeHead` takes them fastest; read right
 * before they leave, so that nothing is told too early.
 */
export function hiveHeaders(exchange: Exchange): string[] {
  const { progress, assignment, feedback } = exchange;
  const elapsed_ms = exchange.clock.monotonic_ms() - progress.started_ms;
  const headers = [
    'x-request-id',
    exchange.request_id,
    'x-hive-call-id',
    exchange.call_id,
    'x-hive-version',
    assignment?.version ?? exchange.version,
    'x-hive-overhead-ms',
    hundredths(Math.max(0, elapsed_ms - progress.waited_ms)),
    'openai-processing-ms',
    String(Math.round(elapsed_ms)),
  ];
  if (progress.served !== null) headers.push('x-hive-target', progress.served);
  if (progress.tries > 0) headers.push('x-hive-attempts', String(progress.tries));
  if (assignment?.experiment) {
    headers.push('x-hive-arm', `${assignment.experiment}/${assignment.arm}`);
  }
  if (progress.adapter.requested !== null) headers.push('x-hive-lora', loraHeader(progress));
  if (progress.notes.length > 0) headers.push('x-hive-notes', notesHeader(progress));
  const settled = feedback?.settled();
  if (settled === 'accepted') headers.push('x-hive-feedback', 'accepted');
  else if (settled !== undefined && settled !== 'pending') {
    headers.push('x-hive-feedback', `rejected; reason=${quoted(settled.rejected)}`);
  }
  // Where Anthropic's clients look for it.
  if (exchange.dialect === 'anthropic') headers.push('request-id', exchange.request_id);
  for (const name in exchange.upstream) {
    if (!isLimitHeader(name)) continue;
    const value = exchange.upstream[name];
    if (isPlainHeader(value)) headers.push(name, value);
  }
  return headers;
}

/** RFC 8941's string. */
function quoted(text: string): string {
  return `"${printable(text).replace(/["\\]/g, '\\$&')}"`;
}

/** As `toFixed(2)` writes it, for a tenth of the time. */
function hundredths(ms: number): string {
  const all = Math.round(ms * 100);
  const rest = all % 100;
  return `${(all - rest) / 100}.${rest < 10 ? '0' : ''}${rest}`;
}

function loraHeader({ adapter }: Progress): string {
  const requested = printable(adapter.requested ?? 'none');
  if (adapter.applied === adapter.requested) return `requested=${requested}; applied=${requested}`;
  const applied = adapter.applied ?? 'none';
  return `requested=${requested}; applied=${applied}; reason=${adapter.reason ?? 'unproven'}`;
}

function notesHeader({ notes }: Progress): string {
  const text = notesText(notes);
  if (text.length <= NOTES_BYTES_MAX) return text;
  return `${text.slice(0, NOTES_BYTES_MAX - 3)}...`;
}

/**
 * From now on a client that takes nothing for so long has left: its connection ends, and with it
 * what it holds of an upstream and of memory. Node lifts the limit with the answer's last byte.
 */
export function limitStall({ response, stall_ms }: Exchange): void {
  response.socket?.setTimeout(stall_ms);
}

/** Above it copying a body costs more than a second buffer in one call of the system. */
const ONE_WRITE_MAX = 16 * 1024;

/** A whole answer. */
export function respondWhole(exchange: Exchange, status: number, body: Uint8Array): void {
  const { response } = exchange;
  const headers = hiveHeaders(exchange);
  const usd = costSoFar(exchange.progress);
  if (usd !== null) headers.push('x-hive-cost-usd', usdText(usd));
  headers.push('content-type', 'application/json', 'content-length', String(body.length));
  response.writeHead(status, headers);
  exchange.turn.write(() => {
    // Node puts a text behind its head and writes both as one; of bytes it makes two parts.
    if (body.length > ONE_WRITE_MAX) response.end(body);
    else response.end(bufferOf(body).toString('latin1'), 'latin1');
    // What the system has taken whole waits for nobody.
    if (response.socket?.writableLength) limitStall(exchange);
  });
}

/** Of a whole answer whose tokens were reported; an estimate stands in the event alone. */
function costSoFar(progress: Progress): number | null {
  const { tokens } = progress.facts;
  return tokens === null ? null : costInAll(progress, tokens);
}

/** Without an exponent, to the last picodollar. */
function usdText(usd: number): string {
  return usd.toFixed(12).replace(/\.?0+$/, '');
}

export function respondReply(exchange: Exchange, reply: Reply): void {
  respondWhole(exchange, reply.status, Buffer.from(JSON.stringify(reply.body)));
}

/** The head of a stream: nothing between us and the client may hold an event back. */
export function beginStream(exchange: Exchange): void {
  const headers = hiveHeaders(exchange);
  headers.push('content-type', 'text/event-stream; charset=utf-8');
  headers.push('cache-control', 'no-cache', 'x-accel-buffering', 'no');
  exchange.response.writeHead(200, headers);
}

export function errorBodyOf({ dialect, request_id }: Exchange, error: GatewayError): JsonObject {
  return errorBody(error, dialect, request_id);
}

/**
 * An error in the client's dialect. After the first byte there is nothing left but to break off.
 */
export function respondError(exchange: Exchange, error: GatewayError): void {
  if (exchange.response.headersSent) {
    exchange.response.destroy();
    return;
  }
  if (!exchange.client.gone) writeError(exchange, error);
}

/** What a client hears that our own stop leaves. */
export function stopped(): GatewayError {
  return new GatewayError('not_ready', 'The gateway stopped before the answer was complete.');
}

/** The whole answer to such a client, where nothing has been sent yet. */
export function respondStopped(exchange: Exchange): void {
  if (!exchange.response.headersSent) writeError(exchange, stopped());
}

function writeError(exchange: Exchange, error: GatewayError): void {
  const { request, response } = exchange;
  const body = Buffer.from(JSON.stringify(errorBodyOf(exchange, error)));
  const unread = !request.complete && hasBody(request);
  const headers = hiveHeaders(exchange);
  for (const [name, value] of Object.entries(errorHeaders(error))) headers.push(name, value);
  headers.push('content-type', 'application/json', 'content-length', String(body.length));
  if (unread) headers.push('connection', 'close');
  response.writeHead(error.status, headers);
  if (!unread) {
    response.end(body);
    return;
  }
  // Closing on a client that is still sending resets the connection, and the answer is lost with
  // it: what is left is read and thrown away, for a while.
  response.write(body);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, LINGER_MS);
  discardBody(request, exchange.turn, finish);
}

/** Node tells that a request is complete only after it has been answered at once. */
function hasBody(request: InboundRequest): boolean {
  return request.headers['transfer-encoding'] !== undefined || lengthOf(request) > 0;
}
