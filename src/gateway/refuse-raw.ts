import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Dialect } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import { createId } from '../core/ids.ts';
import { dialectOfRequest } from './endpoints.ts';
import { errorBody, errorHeaders } from './error-body.ts';
import type { InboundRequest } from './front/inbound.ts';
import { pathOf } from './front/request-line.ts';

/** Where Node keeps the answer whose turn it is. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

/** What is refused before it is a request, on the bare socket, which is closed with it. */
export interface RawRefusals {
  /** What Node could not parse, or was too slow to come. */
  onClientError(error: Error & { readonly code?: string }, socket: Duplex): void;
  /** Who takes us for a proxy: Node leaves the socket to us. */
  onConnect(socket: Duplex): void;
  /** The whole answer to a request that was too slow to come; null where not even its head did. */
  late(request: InboundRequest | null): string;
  /** The whole answer to what is another protocol. */
  notHttp(): string;
}

interface Refusal {
  readonly status: string;
  readonly error: GatewayError;
}

/** `header_bytes_max`: what the listener takes of headers, to be told to who sends more. */
export function createRawRefusals(wall_ms: () => number, header_bytes_max: number): RawRefusals {
  /** Told once: a parser that has failed fails again at whatever comes. */
  const refused = new WeakSet<Duplex>();

  const answer = (socket: HttpSocket, refusal: Refusal | null): void => {
    const { _httpMessage: current } = socket;
    // Answers that are owed to requests before go first: a client reads them in the order it asked.
    if (current?.req.complete) {
      current.once('close', () => answer(socket, refusal));
      return;
    }
    // Refused before it was whole: that answer is on its way, and there is no place for another.
    if (!socket.writable || current?.headersSent) socket.destroySoon();
    else if (refusal === null) socket.end();
    else socket.end(rawAnswer(refusal, dialectOf(current?.req), wall_ms()));
  };
  const refuse = (socket: HttpSocket, refusal: Refusal | null): void => {
    if (refused.has(socket)) return;
    refused.add(socket);
    answer(socket, refusal);
  };

  return {
    onClientError(error, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
      else refuse(socket as Socket, refusalOf(error.code, header_bytes_max));
    },
    onConnect(socket) {
      socket.on('error', () => {});
      const error = new GatewayError('method_not_allowed', 'This is no proxy.', { allow: 'GET' });
      refuse(socket as Socket, { status: '405 Method Not Allowed', error });
    },
    late: (request) => rawAnswer(tooSlow(), dialectOf(request), wall_ms()),
    notHttp: () => rawAnswer(notHttp(), 'openai', wall_ms()),
  };
}

function rawAnswer({ status, error }: Refusal, dialect: Dialect, wall_ms: number): string {
  const id = createId('call', wall_ms);
  const body = JSON.stringify(errorBody(error, dialect, id));
  const headers = Object.entries(errorHeaders(error)).map(([name, value]) => `${name}: ${value}`);
  const head = [
    `HTTP/1.1 ${status}`,
    `date: ${new Date(wall_ms).toUTCString()}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    `x-hive-call-id: ${id}`,
    ...headers,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** A request whose body is late has a path; one that could not be parsed has none. */
function dialectOf(request: InboundRequest | null | undefined): Dialect {
  return request ? dialectOfRequest(pathOf(request.url ?? ''), request.headers) : 'openai';
}

/** Null where nothing is to be said: bytes behind a request that was to be the last. */
function refusalOf(code: string | undefined, header_bytes_max: number): Refusal | null {
  if (code === 'HPE_CLOSED_CONNECTION') return null;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return tooSlow();
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `The request's headers are larger than ${header_bytes_max} bytes.`;
    return {
      status: '431 Request Header Fields Too Large',
      error: new GatewayError('bad_request', message),
    };
  }
  return notHttp();
}

function notHttp(): Refusal {
  return { status: '400 Bad Request', error: new GatewayError('bad_request', 'This is not HTTP.') };
}

function tooSlow(): Refusal {
  const message = 'The request took too long to arrive.';
  return { status: '408 Request Timeout', error: new GatewayError('request_timeout', message) };
}
