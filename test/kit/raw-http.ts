import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

/** An answer as its bytes came: what a client library would tidy up is still to be seen. */
export interface RawAnswer {
  readonly status: number;
  /** Names as they were written, with their values. */
  readonly headers: readonly (readonly [string, string])[];
  /** Of several, joined by a comma; null where there is none. */
  header(name: string): string | null;
  /** Without the transfer coding. */
  readonly body: Buffer;
  readonly json: () => unknown;
  /** The transfer coding's last chunk, or all of content-length, has come. */
  readonly whole: boolean;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly (readonly [string, string])[] | Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** The bytes of a request that asks for the connection to be closed after its answer. */
export function requestBytes({ method, path, headers = {}, body }: RawRequest): Buffer {
  const given = Array.isArray(headers) ? headers : Object.entries(headers);
  const names = new Set(given.map(([name]) => name.toLowerCase()));
  const bytes = Buffer.from(body ?? '');
  const lines = [`${method ?? (body === undefined ? 'GET' : 'POST')} ${path ?? '/'} HTTP/1.1`];
  if (!names.has('host')) lines.push('host: localhost');
  if (!names.has('connection')) lines.push('connection: close');
  if (body !== undefined && !names.has('content-length') && !names.has('transfer-encoding')) {
    lines.push(`content-length: ${bytes.length}`);
  }
  lines.push(...given.map(([name, value]) => `${name}: ${value}`));
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

/** Sends bytes as they are and reads until the other side closes. */
export async function sendRaw(port: number, bytes: Uint8Array | string): Promise<RawAnswer> {
  const open = await openRaw(port, bytes);
  await open.closed;
  return parseAnswer(open.bytes());
}

export function askRaw(port: number, request: RawRequest): Promise<RawAnswer> {
  return sendRaw(port, requestBytes(request));
}

export interface OpenRaw {
  readonly socket: Socket;
  /** All that has come so far. */
  bytes(): Buffer;
  /** Waits until what has come contains a text. */
  saw(text: string): Promise<void>;
  /** The connection is over, in order or not. */
  readonly closed: Promise<void>;
}

/** A connection whose answer is read as it comes. */
export async function openRaw(port: number, bytes: Uint8Array | string): Promise<OpenRaw> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'connect');
  socket.write(bytes);
  const all = (): Buffer => Buffer.concat(parts);
  return {
    socket,
    bytes: all,
    closed,
    async saw(text) {
      await until(() => all().includes(text), { what: `${text} to arrive`, every_ms: 1 });
    },
  };
}

export function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new Error(`no answer, only ${JSON.stringify(bytes.toString('latin1'))}`);
  const [line = '', ...rest] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = rest.map((text) => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon), text.slice(colon + 1).trim()] as const;
  });
  const header = (name: string): string | null => {
    const values = headers.filter(([known]) => known.toLowerCase() === name);
    return values.length === 0 ? null : values.map(([, value]) => value).join(', ');
  };
  const sent = bytes.subarray(end + 4);
  const chunked = header('transfer-encoding') === 'chunked';
  const { body, whole } = chunked ? unchunk(sent) : measured(sent, header('content-length'));
  const json = (): unknown => JSON.parse(body.toString('utf8'));
  return { status: Number(line.split(' ')[1]), headers, header, body, whole, json };
}

function measured(body: Buffer, length: string | null): { body: Buffer; whole: boolean } {
  return { body, whole: length === null || Number(length) === body.length };
}

function unchunk(bytes: Buffer): { body: Buffer; whole: boolean } {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) break;
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (size === 0) return { body: Buffer.concat(parts), whole: true };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return { body: Buffer.concat(parts), whole: false };
}
