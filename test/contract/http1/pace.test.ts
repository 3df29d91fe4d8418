import { afterEach, describe, expect, test } from 'vitest';
import type { HttpConnection } from '../../kit/http-connection.ts';
import { until } from '../../kit/until.ts';
import { answer, type Behaviour, delayed, drip, stall, stream } from '../../kit/upstream.ts';
import { dataOf, textOf } from '../contract-kit.ts';
import {
  bodyOf,
  call,
  expectOk,
  MODELS,
  pass,
  rawCall,
  startWorld,
  type World,
} from './http1-kit.ts';

let world: World;
afterEach(() => world.close());

const STREAMED = bodyOf().replace('{', '{"stream":true,');
const STREAM = rawCall([`content-length: ${STREAMED.length}`], STREAMED);

/** Who leaves: in order, by a reset, or with its process, which the system does for it. */
const LEAVING: Readonly<Record<string, (connection: HttpConnection) => void>> = {
  'a FIN': ({ socket }) => void socket.end(),
  'a reset': ({ socket }) => void socket.resetAndDestroy(),
  'both halves closed': ({ socket }) => void socket.destroy(),
};
const PHASES: readonly (readonly [string, string, Behaviour, string])[] = [
  ['before the upstream’s headers', call(), stall(), ''],
  ['before a stream’s headers', STREAM, stall(), ''],
  ['amid a whole answer', call(), stall('after-headers'), ''],
  ['before the first token', STREAM, stall('after-headers'), ''],
  ['mid-stream', STREAM, stream(['one ', 'two '], { end: 'stall' }), 'two '],
];
const LEFT = PHASES.flatMap(([phase, bytes, script, seen]) =>
  Object.keys(LEAVING).map((how) => [how, phase, bytes, script, seen] as const),
);

describe('a client that leaves', () => {
  test.each(LEFT)(
    '4e by %s %s ends the upstream’s work within 1 s',
    async (how, _phase, bytes, script, seen) => {
      world = await startWorld();
      world.upstream.script(script);
      const connection = await world.open();
      await connection.write(bytes);
      const reached = await until(() => world.upstream.calls[0], { what: 'the call' });
      if (seen) await connection.saw(seen);
      LEAVING[how]?.(connection);
      await until(() => reached.aborted, { deadline_ms: 1000, what: 'the upstream to hear of it' });
      expect(await world.gateway.event()).toMatchObject({ outcome: 'aborted', arm_error: false });
      expect(world.gateway.gateway.callsOpen()).toBe(0);
    },
  );

  test('4e amid its own request has asked nothing', async () => {
    world = await startWorld();
    for (const leave of Object.values(LEAVING)) {
      for (const share of [0.1, 0.5, 0.9]) {
        const connection = await world.open();
        await connection.write(call().slice(0, Math.floor(call().length * share)));
        leave(connection);
        await until(() => connection.ended || connection.socket.destroyed, { what: 'the end' });
      }
    }
    const other = await world.open();
    await other.write(call('other'));
    expectOk(await other.answer());
    expect(world.heard()).toEqual(['other']);
    await until(() => world.gateway.gateway.callsOpen() === 0, { what: 'the calls to be over' });
  });
});

describe('a slow client', () => {
  test('that sends its head and body in drips is served like any other', async () => {
    world = await startWorld();
    const connections = await Promise.all(Array.from({ length: 20 }, () => world.open()));
    const bytes = Buffer.from(call());
    for (let at = 0; at < bytes.length; at += 7) {
      await Promise.all(connections.map((one) => one.write(bytes.subarray(at, at + 7))));
    }
    for (const connection of connections) expectOk(await connection.answer());
  });

  test('that is late has a 408, and nobody waits for it', async () => {
    world = await startWorld({}, { limits: { headers_ms: 100, body_ms: 100 } });
    const bytes = call();
    for (const share of [0.1, 0.95]) {
      const connection = await world.open();
      await connection.write(bytes.slice(0, Math.floor(bytes.length * share)));
      const got = await connection.answer();
      expect([got.status, got.header('connection')]).toEqual([408, 'close']);
      expect((await connection.end()).length).toBe(0);
    }
    expect(world.heard()).toEqual([]);
  });

  test('that is late with its next request still has the answer to its first', async () => {
    world = await startWorld({}, { limits: { headers_ms: 1000, body_ms: 1000 } });
    world.upstream.script(delayed(3500, answer('ok')));
    const connection = await world.open();
    await connection.write(call('one') + call('two').slice(0, 50));
    expectOk(await connection.answer());
    const rest = (await connection.end()).toString('latin1');
    expect(rest === '' || rest.startsWith('HTTP/1.1 408 ')).toBe(true);
  });

  test('that rests between its requests is let go without a word', async () => {
    world = await startWorld({}, { limits: { keep_alive_ms: 100 } });
    const connection = await world.open();
    await connection.write(call());
    expectOk(await connection.answer());
    expect((await connection.end()).length).toBe(0);
  });

  test('that asks nothing at all is let go', async () => {
    world = await startWorld({}, { limits: { headers_ms: 100, body_ms: 100 } });
    const connection = await world.open();
    const rest = (await connection.end()).toString('latin1');
    expect(rest === '' || rest.startsWith('HTTP/1.1 408 ')).toBe(true);
  });

  test('that waits long for its answer is not late', async () => {
    // Late would be who has not asked within a second; the answer takes longer.
    const limits = { headers_ms: 1000, body_ms: 1000, keep_alive_ms: 1000 };
    world = await startWorld({}, { limits });
    world.upstream.script(delayed(2500, answer('ok')));
    const connection = await world.open();
    await connection.write(call());
    expectOk(await connection.answer());
  });

  test('4d that reads slowly gets all of a stream, byte for byte', async () => {
    world = await startWorld();
    const pieces = Array.from({ length: 300 }, (_, index) => `${index}:${'ä'.repeat(5000)} `);
    world.upstream.script(stream(pieces));
    const connection = await world.open();
    const { socket } = connection;
    await connection.write(STREAM);
    await connection.saw('0:ä'.slice(0, 2));
    for (let pauses = 0; pauses < 20; pauses += 1) {
      socket.pause();
      await pass(10);
      socket.resume();
      await pass(2);
    }
    const got = await connection.answer();
    expect(textOf(got.body)).toBe(pieces.join(''));
    expect(dataOf(got.body).at(-1)).toBe('[DONE]');
  });

  test('4d that reads a large answer slowly gets all of it', async () => {
    world = await startWorld();
    const text = 'größe '.repeat(1_000_000);
    world.upstream.script(answer(text));
    const connection = await world.open();
    await connection.write(call());
    for (let pauses = 0; pauses < 10; pauses += 1) {
      connection.socket.pause();
      await pass(10);
      connection.socket.resume();
      await pass(2);
    }
    expectOk(await connection.answer(), text);
  });
});

describe('a stream', () => {
  test('4d has each event out before the next one exists, in a chunk of its own', async () => {
    world = await startWorld();
    const told = Array.from({ length: 5 }, (_, index) => `word${index} `);
    const released = told.map(() => Promise.withResolvers<void>());
    world.upstream.script(async (exchange) => {
      const { response } = exchange;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const [index, word] of told.entries()) {
        const choices = [{ index: 0, delta: { content: word }, finish_reason: null }];
        response.write(`data: ${JSON.stringify({ id: 'c', choices })}\n\n`);
        await released[index]?.promise;
      }
      const choices = [{ index: 0, delta: {}, finish_reason: 'stop' }];
      response.end(`data: ${JSON.stringify({ id: 'c', choices })}\n\ndata: [DONE]\n\n`);
    });
    const connection = await world.open();
    await connection.write(STREAM);
    for (const [index, word] of told.entries()) {
      await connection.saw(word);
      if (index + 1 < told.length) {
        expect(connection.pending().includes(told[index + 1] as string)).toBe(false);
      }
      released[index]?.resolve();
    }
    const got = await connection.answer();
    expect([got.framing, got.header('content-length')]).toEqual(['chunked', null]);
    expect(got.chunks.length).toBeGreaterThanOrEqual(told.length);
  });

  test.each([1, 2, 3, 7])(
    '4d is whole where the upstream sends it %i bytes at a time',
    async (bytes) => {
      world = await startWorld();
      world.upstream.script(drip('größe 🐝 日本 ', { bytes, delay_ms: 0 }));
      const connection = await world.open();
      await connection.write(STREAM);
      expect(textOf((await connection.answer()).body)).toBe('größe 🐝 日本 ');
    },
  );

  test('4d may have an event of megabytes', async () => {
    world = await startWorld();
    const large = 'é'.repeat(1_500_000);
    world.upstream.script(stream(['small ', large, ' end']));
    const connection = await world.open();
    await connection.write(STREAM + MODELS);
    const got = await connection.answer();
    expect(textOf(got.body)).toBe(`small ${large} end`);
    expect((await connection.answer('GET')).status).toBe(200);
  });
});
