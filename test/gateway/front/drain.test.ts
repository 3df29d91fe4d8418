import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createDrain, type Drain, type StopSpec } from '../../../src/gateway/front/drain.ts';
import { portOf } from '../../kit/ports.ts';
import { until } from '../../kit/until.ts';

let server: Server;
let drain: Drain;
let port: number;
/** Ends the answers that wait at `/slow`. */
let waiting: (() => void)[];

afterEach(() => server.closeAllConnections());

const SPEC: StopSpec = { deadline_ms: 5000, quiet_ms: 0, handed_over: false };

async function start(): Promise<void> {
  waiting = [];
  server = createServer((asked, response) => {
    if (asked.url !== '/slow') return response.end('done');
    response.write('begun ');
    waiting.push(() => response.end('done'));
    return response;
  });
  drain = createDrain(server, null, () => performance.now());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = portOf(server);
}

/** One request; tells how its connection was to go on. */
function ask(path: string, agent?: Agent): Promise<{ text: string; connection: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, agent }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => {
        text += part.toString();
      });
      response.on('end', () => {
        resolve({ text, connection: String(response.headers.connection) });
      });
      response.on('error', reject);
    });
    asked.on('error', reject).end();
  });
}

async function openSlow() {
  const before = waiting.length;
  const answer = ask('/slow');
  await until(() => waiting.length > before, { what: 'the slow call' });
  return answer;
}

test('drain ends a server that nobody uses at once', async () => {
  await start();
  await drain.stop(SPEC);
  expect(server.listening).toBe(false);
  await drain.stop(SPEC);
});

test('drain lets an answer under way end, however long it takes within the deadline', async () => {
  await start();
  const slow = openSlow();
  await until(() => waiting.length === 1, { what: 'the slow call' });
  const stopped = drain.stop(SPEC);
  await ask('/');
  waiting[0]?.();
  expect(await slow).toMatchObject({ text: 'begun done' });
  await stopped;
});

test('drain serves who still comes, and closes the connection with the answer', async () => {
  await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await ask('/', agent)).connection).toBe('keep-alive');
  const slow = openSlow();
  await until(() => waiting.length === 1, { what: 'the slow call' });
  const stopped = drain.stop(SPEC);
  expect(await ask('/', agent)).toEqual({ text: 'done', connection: 'close' });
  expect(await ask('/', agent)).toEqual({ text: 'done', connection: 'close' });
  expect(server.listening).toBe(true);
  waiting[0]?.();
  await slow;
  await stopped;
  expect(server.listening).toBe(false);
  agent.destroy();
});

test('drain takes no connection any more where somebody else has the port', async () => {
  await start();
  const slow = openSlow();
  await until(() => waiting.length === 1, { what: 'the slow call' });
  const stopped = drain.stop({ ...SPEC, handed_over: true });
  await until(() => !server.listening, { what: 'the port to be given up' });
  await expect(ask('/')).rejects.toThrow(/ECONNREFUSED/);
  waiting[0]?.();
  expect(await slow).toMatchObject({ text: 'begun done' });
  await stopped;
});

test('drain keeps an idle connection until it has been quiet, and serves it', async () => {
  await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await ask('/', agent);
  const stopped = drain.stop({ ...SPEC, quiet_ms: 200, handed_over: true });
  await until(() => !server.listening, { what: 'the port to be given up' });
  expect(await ask('/', agent)).toEqual({ text: 'done', connection: 'close' });
  await stopped;
  agent.destroy();
});

test('drain breaks off at the deadline what has not ended', async () => {
  await start();
  const slow = openSlow();
  slow.catch(() => {});
  await until(() => waiting.length === 1, { what: 'the slow call' });
  const begun_ms = performance.now();
  await drain.stop({ ...SPEC, deadline_ms: 150 });
  expect(performance.now() - begun_ms).toBeGreaterThanOrEqual(140);
  await expect(slow).rejects.toThrow(/aborted|hang up/);
  expect(drain.brokeOff()).toBe(true);
});

test('drain does not wait the whole deadline for a connection that asks nothing', async () => {
  await start();
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nhost:');
  await until(async () => (await connections()) === 1, { what: 'the connection' });
  const begun_ms = performance.now();
  await drain.stop(SPEC);
  expect(performance.now() - begun_ms).toBeLessThan(3000);
  socket.destroy();
});

function connections(): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
