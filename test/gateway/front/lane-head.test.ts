import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseLaneHead } from '../../../src/gateway/front/lane-head.ts';
import { portOf } from '../../kit/ports.ts';

/** Node's own reading of a head, or null where it takes it for no request. */
let nodesReading: (head: string) => Promise<IncomingMessage | null>;
let close: () => void;

beforeAll(async () => {
  const server = createServer((request, response) => {
    taken?.(request);
    response.end();
  });
  server.on('clientError', (_error, socket) => {
    taken?.(null);
    socket.destroy();
  });
  let taken: ((request: IncomingMessage | null) => void) | null = null;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  close = () => server.close();
  nodesReading = async (head) => {
    const socket = connect({ port: portOf(server), host: '127.0.0.1' });
    socket.on('error', () => {});
    const { promise, resolve } = Promise.withResolvers<IncomingMessage | null>();
    taken = resolve;
    socket.once('close', () => resolve(null));
    socket.end(Buffer.from(`${head}\r\n\r\n`, 'latin1'));
    const read = await promise;
    socket.destroy();
    return read;
  };
});
afterAll(() => close());

const name = fc.constantFrom(
  'Content-Type',
  'X-Agent-Id',
  'host',
  'Connection',
  'Content-Length',
  'Transfer-Encoding',
  'x y',
  '',
  'x-é',
);
const value = fc.oneof(
  fc.constantFrom(' 5', '12', ' keep-alive', ' Close', ' chunked', '\t a \t', '', ' é', ' a\x00b'),
  fc.constantFrom(' +5', ' 5, 5', ' 0x5', ' 1 2', ' a\rb', ' a\nb', ' a\x7f'),
);
const header = fc.tuple(name, fc.constantFrom(':', ' :', ''), value).map((parts) => parts.join(''));
const firstLine = fc.constantFrom(
  'POST /v1/chat/completions HTTP/1.1',
  'POST /v1/messages?beta=true HTTP/1.1',
  'POST /a b HTTP/1.1',
  'POST /a HTTP/1.0',
  'GET /v1/models HTTP/1.1',
  'POST  /a HTTP/1.1',
  'POST a HTTP/1.1',
);
const head = fc
  .tuple(firstLine, fc.array(header, { maxLength: 5 }))
  .map(([line, headers]) => [line, 'Host: a', ...headers].join('\r\n'));

test('parseLaneHead takes nothing that Node would not, and reads it as Node does', async () => {
  await fc.assert(
    fc.asyncProperty(head, async (text) => {
      const read = parseLaneHead(text);
      if (read === null) return;
      const nodes = await nodesReading(text);
      expect(nodes, text).not.toBeNull();
      expect(read.url).toBe(nodes?.url);
      expect({ ...read.headers }).toEqual({ ...nodes?.headers });
      expect(String(read.length)).toBe(String(Number(nodes?.headers['content-length'])));
    }),
    { numRuns: 600, seed: 11 },
  );
});

const PLAIN = 'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 7';

test('parseLaneHead reads what clients send', () => {
  expect(parseLaneHead(`${PLAIN}\r\nAuthorization:  Bearer x \r\nConnection: Keep-Alive`)).toEqual({
    url: '/v1/chat/completions',
    headers: {
      host: 'a',
      'content-length': '7',
      authorization: 'Bearer x',
      connection: 'Keep-Alive',
    },
    length: 7,
  });
});

test.each([
  ['another method', PLAIN.replace('POST', 'PUT')],
  ['another version', PLAIN.replace('1.1', '1.0')],
  ['an absolute target', PLAIN.replace(' /v1', ' http://a/v1')],
  ['no length', PLAIN.replace('Content-Length: 7', 'a: b')],
  ['two lengths', `${PLAIN}\r\ncontent-length: 7`],
  ['a length that is none', PLAIN.replace(': 7', ': +7')],
  ['a transfer coding', `${PLAIN}\r\ntransfer-encoding: chunked`],
  ['an expectation', `${PLAIN}\r\nexpect: 100-continue`],
  ['an upgrade', `${PLAIN}\r\nconnection: upgrade\r\nupgrade: h2c`],
  ['a last request', `${PLAIN}\r\nconnection: close`],
  ['a name twice', `${PLAIN}\r\nx-agent-id: a\r\nX-Agent-ID: b`],
  ['a folded value', `${PLAIN}\r\nx: a\r\n b`],
  ['a bare line feed', `${PLAIN}\nx: a`],
  ['a space before a colon', `${PLAIN}\r\nx : a`],
  ['a control character', `${PLAIN}\r\nx: a\x01`],
  ['a name that every object has', `${PLAIN}\r\nconstructor: a`],
  ['the name of a prototype', `${PLAIN}\r\n__proto__: a`],
])('parseLaneHead leaves %s to Node', (_what, text) => {
  expect(parseLaneHead(text)).toBeNull();
});
