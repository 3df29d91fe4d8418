import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../kit/until.ts';
import { answer, delayed, status, stream } from '../../kit/upstream.ts';
import { CHAT } from '../contract-kit.ts';
import {
  bodyOf,
  call,
  expectOk,
  expectUsable,
  HOST,
  MODELS,
  pass,
  rawCall,
  startWorld,
  type World,
} from './http1-kit.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ body_bytes_max: 2000 });
});
afterEach(() => world.upstream.script(answer('ok')));
afterAll(() => world.close());

const STREAM = rawCall(
  [`content-length: ${bodyOf().length + 14}`],
  bodyOf().replace('{', '{"stream":true,'),
);
const bare = (method: string, path: string, lines = ''): string =>
  `${method} ${path} HTTP/1.1\r\n${HOST}${lines}\r\n`;

/** Each is read to its end, so there is no reason to give the connection up. */
const KEPT: readonly (readonly [string, number, string, string])[] = [
  ['a call', 200, 'POST', call()],
  ['a stream', 200, 'POST', STREAM],
  ['bad JSON', 400, 'POST', rawCall(['content-length: 1'], '{')],
  ['an empty body', 400, 'POST', rawCall(['content-length: 0'], '')],
  ['no body at all', 400, 'POST', rawCall([], '')],
  ['an unknown model', 404, 'POST', call().replace('"default"', '"defauxt"')],
  ['an unknown route', 404, 'GET', bare('GET', '/v1/none')],
  ['an unknown route for Anthropic', 404, 'GET', bare('GET', '/v1/messages/none')],
  ['an unknown model’s entry', 404, 'GET', bare('GET', '/v1/models/none')],
  ['the models', 200, 'GET', MODELS],
  ['the head of the models', 200, 'HEAD', bare('HEAD', '/v1/models')],
  ['the head of health', 200, 'HEAD', bare('HEAD', '/health')],
  ['the head of a call', 405, 'HEAD', bare('HEAD', CHAT)],
  ['the head of nothing', 404, 'HEAD', bare('HEAD', '/none')],
  ['GET of a call', 405, 'GET', bare('GET', CHAT)],
  ['DELETE of the models', 405, 'DELETE', bare('DELETE', '/v1/models')],
  ['OPTIONS of a call', 405, 'OPTIONS', bare('OPTIONS', CHAT)],
  ['TRACE', 405, 'TRACE', bare('TRACE', '/v1/models')],
  [
    'an offer of HTTP/2',
    200,
    'GET',
    bare('GET', '/v1/models', 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\n'),
  ],
  [
    'an offer of a WebSocket',
    200,
    'GET',
    bare('GET', '/v1/models', 'connection: upgrade\r\nupgrade: websocket\r\n'),
  ],
];

describe('a connection', () => {
  test.each(KEPT)('is used again after %s: %i', async (_what, code, method, bytes) => {
    const connection = await world.open();
    for (let times = 0; times < 3; times += 1) {
      await connection.write(bytes);
      const got = await connection.answer(method);
      expect(got.status).toBe(code);
      expect(got.header('connection') ?? '').not.toMatch(/close/i);
      expect(got.framing).toBe(method === 'HEAD' ? 'none' : got.framing);
    }
    await expectUsable(connection);
  });

  test.each([500, 429, 400])('is used again after an upstream’s %i', async (code) => {
    world.upstream.script([status(code), answer('ok')]);
    const connection = await world.open();
    await connection.write(call());
    expect((await connection.answer()).status).toBe(code === 500 ? 502 : code);
    await world.gateway.event(1);
    const other = await world.open();
    await other.write(MODELS);
    expect((await other.answer('GET')).status).toBe(200);
    await connection.write(MODELS);
    expect((await connection.answer('GET')).status).toBe(200);
  });

  test.each(['cut', 'reset', 'silent'] as const)(
    'is used again after a stream whose upstream ended with %s: the message is whole',
    async (end) => {
      world.upstream.script([stream(['one ', 'two'], { end }), answer('ok')]);
      const connection = await world.open();
      await connection.write(STREAM);
      const got = await connection.answer();
      expect(got.framing).toBe('chunked');
      expect(got.body.toString()).toMatch(/"error"/);
      expect(got.body.toString()).not.toContain('[DONE]');
      await connection.write(MODELS);
      expect((await connection.answer('GET')).status).toBe(200);
    },
  );

  test.each([
    'connection: close',
    'Connection: Close',
    'connection: foo, close',
    'connection: keep-alive, close',
    'connection: foo\r\nconnection: close',
  ])('is closed where the client asks for it: %j', async (line) => {
    const known = world.upstream.calls.length;
    const connection = await world.open();
    await connection.write(call('last', [line]) + call('behind') + call('behind'));
    const got = await connection.answer();
    expectOk(got);
    expect(got.header('connection')).toBe('close');
    expect((await connection.end()).length).toBe(0);
    expect(world.heard().slice(known)).toEqual(['last']);
  });

  test('is closed where the body of what is refused was not read, after the answer', async () => {
    const known = world.upstream.calls.length;
    const connection = await world.open();
    const large = bodyOf('x'.repeat(8_000_000));
    void connection.write(rawCall([`content-length: ${large.length}`], large) + call('behind'));
    const got = await connection.answer();
    expect([got.status, got.header('connection')]).toEqual([413, 'close']);
    expect((await connection.end()).length).toBe(0);
    expect(world.upstream.calls.length).toBe(known);
  });
});

describe('HTTP/1.0', () => {
  const old = (lines: string[] = [], body = bodyOf()): string =>
    rawCall([...lines, `content-length: ${body.length}`], body, 'HTTP/1.0');

  test('is answered and closed', async () => {
    const connection = await world.open();
    await connection.write(old() + old());
    const got = await connection.answer();
    expectOk(got);
    expect(got.framing).not.toBe('chunked');
    expect((await connection.end()).length).toBe(0);
  });

  test('keeps its connection where it asks for it, and is told so', async () => {
    const connection = await world.open();
    for (let times = 0; times < 3; times += 1) {
      await connection.write(old(['connection: keep-alive']));
      const got = await connection.answer();
      expectOk(got);
      expect(got.header('connection')).toMatch(/^keep-alive$/i);
      expect(got.framing).toBe('length');
    }
  });

  test.each([[[]], [['connection: keep-alive']]])(
    'gets a stream without chunks, ended by the connection',
    async (lines) => {
      const connection = await world.open();
      await connection.write(old(lines, bodyOf().replace('{', '{"stream":true,')));
      const got = await connection.answer();
      expect(got).toMatchObject({ status: 200, framing: 'close' });
      expect(got.body.toString()).toMatch(/data: \[DONE\]\n\n$/);
      expect(got.header('connection') ?? 'close').toBe('close');
    },
  );
});

describe('requests sent without waiting', () => {
  test('are answered in their order, one after another', async () => {
    const begun: string[] = [];
    const open: string[] = [];
    const behaviour = (ms: number) =>
      delayed(0, async (exchange) => {
        const { user } = exchange.request;
        expect(open).toEqual([]);
        begun.push(user);
        open.push(user);
        await exchange.pause(ms);
        open.pop();
        await answer(user)(exchange);
      });
    world.upstream.script([behaviour(50), behaviour(1), behaviour(20), behaviour(1)]);
    const connection = await world.open();
    const texts = ['one', 'two', 'three', 'four'];
    await connection.write(texts.map((text) => call(text)).join(''));
    for (const text of texts) expectOk(await connection.answer(), text);
    expect(begun).toEqual(texts);
  });

  test('are answered however many there are', async () => {
    const connection = await world.open();
    const mixed = [MODELS, call(), bare('GET', '/v1/none'), STREAM, bare('HEAD', '/health')];
    const methods = ['GET', 'POST', 'GET', 'POST', 'HEAD'];
    await connection.write(Array.from({ length: 60 }, () => mixed.join('')).join(''));
    for (let round = 0; round < 60; round += 1) {
      const statuses: number[] = [];
      for (const method of methods) statuses.push((await connection.answer(method)).status);
      expect(statuses).toEqual([200, 200, 404, 200, 200]);
    }
    await expectUsable(connection);
  });

  test('are not begun where the client leaves before their turn', async () => {
    const known = world.upstream.calls.length;
    world.upstream.script(({ over }) => over);
    const connection = await world.open();
    await connection.write(call('one') + call('two') + call('three'));
    const first = await until(() => world.upstream.calls[known], { what: 'the first call' });
    connection.socket.destroy();
    await until(() => first.aborted, { what: 'the upstream to hear of it', deadline_ms: 1000 });
    await pass(50);
    expect(world.heard().slice(known)).toEqual(['one']);
    expect(world.gateway.gateway.callsOpen()).toBe(0);
  });

  test('cost an answer nothing where they are broken off by a half', async () => {
    world.upstream.script(delayed(50, answer('ok')));
    const connection = await world.open();
    await connection.write(call('one') + call('two').slice(0, 60));
    expectOk(await connection.answer());
    await connection.write(call('two').slice(60));
    expectOk(await connection.answer());
  });
});
