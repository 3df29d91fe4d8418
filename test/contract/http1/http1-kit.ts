import { expect } from 'vitest';
import type { RunningGateway } from '../../gateway/gateway-kit.ts';
import type { HttpAnswer } from '../../kit/http-answer.ts';
import { type HttpConnection, openHttp } from '../../kit/http-connection.ts';
import { until } from '../../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../../kit/upstream.ts';
import { CHAT, chatBody, expectOpenAiError, ONCE, serve } from '../contract-kit.ts';

/**
 * What any HTTP/1.1 server in the gateway's place must do, told in bytes: a request goes out as a
 * test wrote it, and its answer must be one that every recipient reads alike. Nothing here knows
 * what the server is made of.
 */
export const HOST = 'host: localhost\r\n';

/** A good call's body; the text is how an upstream tells one call from another. */
export const bodyOf = (text = 'hi'): string =>
  chatBody({ messages: [{ role: 'user', content: text }] });

/** A call with the given header lines and body, as they are: no length is added. */
export function rawCall(lines: readonly string[], body: string, version = 'HTTP/1.1'): string {
  const fields = lines.map((line) => `${line}\r\n`).join('');
  return `POST ${CHAT} ${version}\r\n${HOST}${fields}\r\n${body}`;
}

/** A good call with a length. */
export function call(text = 'hi', lines: readonly string[] = []): string {
  const body = bodyOf(text);
  return rawCall([...lines, `content-length: ${Buffer.byteLength(body)}`], body);
}

export const MODELS = `GET /v1/models HTTP/1.1\r\n${HOST}\r\n`;

/** The body in chunks of the given sizes; the last size goes on to the end. */
export function chunksOf(body: string, ...sizes: readonly number[]): string {
  let at = 0;
  let text = '';
  for (let index = 0; at < body.length; index += 1) {
    const part = body.slice(at, at + (sizes[Math.min(index, sizes.length - 1)] ?? body.length));
    text += `${part.length.toString(16)}\r\n${part}\r\n`;
    at += part.length;
  }
  return `${text}0\r\n\r\n`;
}

export interface World {
  readonly upstream: Upstream;
  readonly gateway: RunningGateway;
  /** A connection that is closed with the world. */
  open(): Promise<HttpConnection>;
  /** Texts of the calls that reached the upstream. */
  heard(): readonly string[];
  close(): Promise<void>;
}

/** A gateway before an upstream that answers `ok`. */
export async function startWorld(
  more: Partial<Parameters<typeof serve>[0]> = {},
  given: Parameters<typeof serve>[1] = {},
): Promise<World> {
  const upstream = await startUpstream(answer('ok'));
  const spec = { targets: { main: upstream.url }, resilience: ONCE, ...more };
  const gateway = await serve(spec, given);
  const connections: HttpConnection[] = [];
  return {
    upstream,
    gateway,
    async open() {
      const connection = await openHttp(gateway.port);
      connections.push(connection);
      return connection;
    },
    heard: () => upstream.calls.map(({ user }) => user),
    async close() {
      for (const { socket } of connections) socket.destroy();
      await gateway.close();
      await upstream.close();
    },
  };
}

/** A good whole answer of `ok`, with what stands on every one. */
export function expectOk(got: HttpAnswer, text = 'ok'): void {
  expect(got.status).toBe(200);
  expectEvery(got);
  const { choices } = got.json() as { choices: { message: { content: string } }[] };
  expect(choices[0]?.message.content).toBe(text);
}

/** Refused, in OpenAI's shape, and nothing more is read from the connection. */
export async function expectRefused(
  connection: HttpConnection,
  status = 400,
  method = 'POST',
): Promise<HttpAnswer> {
  const got = await connection.answer(method);
  expect([got.status, got.header('connection')]).toEqual([status, 'close']);
  expectEvery(got);
  if (method !== 'HEAD') expectOpenAiError(got);
  expect((await connection.end()).toString('latin1')).toBe('');
  return got;
}

/** RFC 9110 §6.6.1 and 4b: a date in the one form that may be sent, and who the call was. */
function expectEvery(got: HttpAnswer): void {
  expect(got.header('date')).toMatch(
    /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  );
  expect(got.header('x-request-id')).toMatch(/^\S+$/);
  expect(got.header('x-hive-call-id')).toMatch(/^call_/);
}

/** The connection serves another call, and nothing of the one before is left in it. */
export async function expectUsable(connection: HttpConnection): Promise<void> {
  expect(connection.pending().toString('latin1')).toBe('');
  await connection.write(call('again'));
  expectOk(await connection.answer());
}

/** Waits for so long; for what must *not* happen there is nothing else to wait for. */
export async function pass(ms: number): Promise<void> {
  const begun_ms = performance.now();
  await until(() => performance.now() - begun_ms >= ms, { what: 'time to pass', every_ms: 2 });
}
