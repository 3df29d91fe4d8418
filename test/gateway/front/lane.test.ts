import { createServer, type Server } from 'node:http';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { OutboundResponse } from '../../../src/gateway/front/inbound.ts';
import { createLane, type Lane, type LaneOptions } from '../../../src/gateway/front/lane.ts';
import type { LaneRequest } from '../../../src/gateway/front/lane-request.ts';
import { listen } from '../../../src/gateway/front/listen.ts';
import { openHttp } from '../../kit/http-connection.ts';
import { until } from '../../kit/until.ts';

let server: Server;
let lane: Lane;
let port: number;
let now_ms: number;
/** Answers that wait to be given, in the order of their requests. */
let waiting: { readonly body: string; readonly response: OutboundResponse }[];

afterEach(() => {
  lane.close();
  lane.closeAll();
  server.closeAllConnections();
  server.close();
});

const LIMITS = { headers_ms: 1000, body_ms: 3000, keep_alive_ms: 5000 };

async function start(serve: LaneOptions['serve'] = echo, check_ms = 5): Promise<void> {
  now_ms = 0;
  waiting = [];
  server = createServer((request, response) => {
    request.resume().on('end', () => response.end(`node ${request.url}`));
  });
  lane = createLane(server, {
    serves: (url) => url.startsWith('/lane'),
    serve,
    tooSlow: (request) =>
      `HTTP/1.1 408 Request Timeout\r\ncontent-length: 4\r\n\r\n${request ? 'body' : 'head'}`,
    notHttp: () => 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n',
    limits: LIMITS,
    head_bytes_max: 4096,
    check_ms,
    monotonic_ms: () => now_ms,
    wall_ms: () => 1_700_000_000_000,
  });
  port = await listen(server, '127.0.0.1', 0);
}

/** Answers with what came. */
function echo(request: LaneRequest, response: OutboundResponse): void {
  bodyOf(request, (body) => {
    const bytes = Buffer.from(body);
    response.writeHead(200, ['content-length', String(bytes.length)]);
    response.end(bytes);
  });
}

/** Leaves the answer to the test. */
function keep(request: LaneRequest, response: OutboundResponse): void {
  bodyOf(request, (body) => waiting.push({ body, response }));
}

function bodyOf(request: LaneRequest, then: (body: string) => void): void {
  const parts: Buffer[] = [];
  const whole = request.whole();
  if (whole) {
    then(whole.toString());
    return;
  }
  request.take({
    data: (part) => parts.push(part),
    end: () => then(Buffer.concat(parts).toString()),
    gone: () => {},
  });
}

const post = (body: string, path = '/lane') =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test('the lane answers requests in their order, however their bytes are cut', async () => {
  await start();
  const bodies = fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 5 });
  const cuts = fc.array(fc.nat(600), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(bodies, cuts, async (sent, at) => {
      const bytes = Buffer.from(sent.map((body) => post(body)).join(''));
      const connection = await openHttp(port);
      let from = 0;
      for (const cut of at.map((one) => one % bytes.length).sort((a, b) => a - b)) {
        await connection.write(bytes.subarray(from, cut));
        from = cut;
      }
      await connection.write(bytes.subarray(from));
      for (const body of sent) {
        const answer = await connection.answer();
        // A head that came in two pieces has gone to Node's server, with all that follows it.
        const said = answer.body.toString();
        expect([body, 'node /lane']).toContain(said);
      }
      connection.socket.destroy();
    }),
    { numRuns: 100, seed: 5 },
  );
});

test('the lane hands a connection over at its first request that is not plain', async () => {
  await start();
  const connection = await openHttp(port);
  await connection.write(post('one'));
  expect((await connection.answer()).body.toString()).toBe('one');
  expect(lane.connections).toBe(1);
  await connection.write(`${post('x', '/else')}${post('two')}`);
  expect((await connection.answer()).body.toString()).toBe('node /else');
  expect((await connection.answer()).body.toString()).toBe('node /lane');
  expect(lane.connections).toBe(0);
});

test('the lane looks at what was sent ahead only when the answer before it is given', async () => {
  await start(keep);
  const connection = await openHttp(port);
  await connection.write(post('one') + post('two') + post('three'));
  for (const body of ['one', 'two', 'three']) {
    await until(() => waiting.length === 1, { what: 'a request' });
    const [first] = waiting.splice(0);
    expect(first?.body).toBe(body);
    first?.response.writeHead(200, ['content-length', '2']);
    first?.response.end('ok', 'latin1');
    expect((await connection.answer()).body.toString()).toBe('ok');
  }
});

test('the lane sends in chunks what has no length, head and first chunk as one', async () => {
  await start(keep);
  const connection = await openHttp(port);
  await connection.write(post('one'));
  await until(() => waiting.length === 1, { what: 'a request' });
  const [{ response }] = waiting as [(typeof waiting)[0]];
  response.writeHead(200, ['content-type', 'text/event-stream']);
  expect(connection.pending().length).toBe(0);
  response.write(Buffer.from('data: é\n\n'));
  response.write(Buffer.alloc(0));
  response.end(Buffer.from('data: 2\n\n'));
  const answer = await connection.answer();
  expect(answer.chunks.map(String)).toEqual(['data: é\n\n', 'data: 2\n\n']);
  expect(answer.header('connection')).toBe('keep-alive');
  expect(answer.header('keep-alive')).toBe('timeout=5');
  expect(answer.header('date')).toBe('Tue, 14 Nov 2023 22:13:20 GMT');
});

test('the lane sends a large body as it is', async () => {
  await start(keep);
  const connection = await openHttp(port);
  await connection.write(post('one'));
  await until(() => waiting.length === 1, { what: 'a request' });
  const body = Buffer.alloc(3_000_000, 'ab');
  const [{ response }] = waiting as [(typeof waiting)[0]];
  response.writeHead(200, ['content-length', String(body.length)]);
  response.end(body);
  expect((await connection.answer()).body.equals(body)).toBe(true);
  await connection.write(post('two'));
  await until(() => waiting.length === 2, { what: 'the next request' });
});

test('the lane ends the connection behind an answer that says so', async () => {
  await start((_request, response) => {
    response.writeHead(400, ['content-length', '2', 'connection', 'close']);
    response.end('no', 'latin1');
  });
  const connection = await openHttp(port);
  await connection.write(post('one'));
  const answer = await connection.answer();
  expect([answer.status, answer.header('connection')]).toEqual([400, 'close']);
  expect((await connection.end()).length).toBe(0);
});

test('the lane refuses a header that HTTP cannot carry, before anything is sent', async () => {
  let thrown: unknown = null;
  await start((_request, response) => {
    try {
      response.writeHead(200, ['x-note', 'a\r\nset-cookie: b']);
    } catch (error) {
      thrown = error;
    }
    response.writeHead(200, ['content-length', '0']);
    response.end();
  });
  const connection = await openHttp(port);
  await connection.write(post('one'));
  expect((await connection.answer()).status).toBe(200);
  expect(String(thrown)).toContain('x-note');
});

test('the lane tells a response of its client’s leaving, once, and not before', async () => {
  let closes = 0;
  await start((request, response) => {
    response.on('close', () => {
      closes += 1;
    });
    keep(request, response);
  });
  const connection = await openHttp(port);
  await connection.write(post('one'));
  await until(() => waiting.length === 1, { what: 'a request' });
  expect(closes).toBe(0);
  connection.socket.destroy();
  await until(() => closes === 1, { what: 'the close' });
  waiting[0]?.response.end();
  expect(closes).toBe(1);
  expect(lane.connections).toBe(0);
});

describe('a client of the lane that is too slow', () => {
  test('with its first request is told so', async () => {
    await start();
    const connection = await openHttp(port);
    await until(() => lane.connections === 1, { what: 'the connection' });
    now_ms = LIMITS.headers_ms + 1;
    expect((await connection.answer()).body.toString()).toBe('head');
  });

  test('with its body is told so, and its request is over', async () => {
    let state = 'none';
    await start((request) => {
      state = 'asked';
      request.take({
        data: () => {},
        end: () => {},
        gone: () => {
          state = 'gone';
        },
      });
    });
    const connection = await openHttp(port);
    await connection.write(post('12345').slice(0, -1));
    await until(() => state === 'asked', { what: 'the request' });
    now_ms = LIMITS.body_ms + 1;
    const answer = await connection.answer();
    expect([answer.status, answer.body.toString()]).toEqual([408, 'body']);
    expect(state).toBe('gone');
  });

  test('with its next request is let go without a word', async () => {
    await start();
    const connection = await openHttp(port);
    await connection.write(post('one'));
    await connection.answer();
    now_ms = LIMITS.keep_alive_ms + 1;
    expect((await connection.end()).length).toBe(0);
  });

  test('does not count while its answer is made', async () => {
    await start(keep);
    const connection = await openHttp(port);
    await connection.write(post('one'));
    await until(() => waiting.length === 1, { what: 'a request' });
    now_ms = 1_000_000;
    const other = await openHttp(port);
    await until(() => lane.connections === 2, { what: 'the other' });
    now_ms = 2_000_000;
    expect((await other.answer()).status).toBe(408);
    waiting[0]?.response.writeHead(200, ['content-length', '0']);
    waiting[0]?.response.end();
    expect((await connection.answer()).status).toBe(200);
  });
});

test('closeIdle of a lane leaves the connections that wait for an answer', async () => {
  await start(keep);
  const busy = await openHttp(port);
  await busy.write(post('one'));
  await until(() => waiting.length === 1, { what: 'a request' });
  const idle = await openHttp(port);
  await until(() => lane.connections === 2, { what: 'both' });
  lane.closeIdle();
  expect((await idle.end()).length).toBe(0);
  expect(lane.connections).toBe(1);
  lane.closeAll();
  await busy.end();
  expect(lane.connections).toBe(0);
});
