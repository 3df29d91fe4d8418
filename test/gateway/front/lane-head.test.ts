import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LaneHeads } from '../../../src/gateway/front/lane-head.ts';
import { portOf } from '../../kit/ports.ts';

const readAlone = (text: string) => new LaneHeads().read(text);

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

test('LaneHeads.read takes nothing that Node would not, and reads it as Node does', async () => {
  await fc.assert(
    fc.asyncProperty(head, async (text) => {
      const read = readAlone(text);
      if (read === null) return;
      const nodes = await nodesReading(text);
      expect(nodes, text).not.toBeNull();
      expect(read.url).toBe(nodes?.url);
      const { 'content-length': length, ...others } = nodes?.headers ?? {};
      expect({ ...read.headers }).toEqual(others);
      expect(read.length).toBe(Number(length));
    }),
    { numRuns: 600, seed: 11 },
  );
});

const PLAIN = 'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 7';

test('LaneHeads.read reads what clients send', () => {
  expect(
    readAlone(`${PLAIN}\r\nAuthorization:  Bearer x \r\nConnection: Keep-Alive`),
  ).toMatchObject({
    url: '/v1/chat/completions',
    headers: { host: 'a', authorization: 'Bearer x', connection: 'Keep-Alive' },
    length: 7,
  });
});

test('LaneHeads.read takes the names that every object has for names', () => {
  const { headers } = readAlone(`${PLAIN}\r\nconstructor: a\r\n__proto__: b`) ?? {};
  expect(Object.entries(headers ?? {})).toEqual([
    ['host', 'a'],
    ['constructor', 'a'],
    ['__proto__', 'b'],
  ]);
});

const changed = fc.oneof(
  head,
  fc.tuple(head, fc.nat(20)).map(([text, length]) => text.replace(/\d+(?=\r\n|$)/, String(length))),
);

test('LaneHeads.read of one connection reads each head as if it came alone', () => {
  const plain = fc.nat(1e6).map((length) => `${PLAIN.slice(0, -1)}${length}\r\nx: 7`);
  const odd = fc.constantFrom(
    `${PLAIN}7`,
    `${PLAIN} \r\nx: 7`,
    `${PLAIN.slice(0, -1)}\r\nx: 7`,
    `${PLAIN.slice(0, -1)}-7\r\nx: 7`,
    `${PLAIN.slice(0, -1)}7a\r\nx: 7`,
    `${PLAIN}${'7'.repeat(15)}\r\nx: 7`,
    `${PLAIN}\r\ny: 1\r\nx: 7`,
    `${PLAIN}\r\nContent-Length: 7\r\nx: 7`,
    `${PLAIN}\r\nx: 7${PLAIN}\r\nx: 7`,
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(plain, odd, changed), { maxLength: 12 }), (texts) => {
      const heads = new LaneHeads();
      for (const text of texts) {
        const [read, alone] = [heads.read(text), readAlone(text)];
        expect(read === null, text).toBe(alone === null);
        expect(read?.url).toBe(alone?.url);
        expect(read?.length).toBe(alone?.length);
        expect({ ...read?.headers }).toEqual({ ...alone?.headers });
      }
    }),
    { numRuns: 500, seed: 12 },
  );
});

test('LaneHeads.read keeps what it read while only the length is another', () => {
  const heads = new LaneHeads();
  const first = heads.read(`${PLAIN}\r\nx: 7`);
  const second = heads.read(`${PLAIN}19\r\nx: 7`);
  expect(second?.length).toBe(719);
  expect(second?.headers).toBe(first?.headers);
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
])('LaneHeads.read leaves %s to Node', (_what, text) => {
  expect(readAlone(text)).toBeNull();
});
