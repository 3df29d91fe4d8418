import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LaneResponse } from '../../../src/gateway/front/lane-response.ts';
import { readAnswer } from '../../kit/http-answer.ts';
import { portOf } from '../../kit/ports.ts';

/** All bytes that a response writes to a socket. */
async function bytesOf(write: (response: LaneResponse) => void): Promise<Buffer> {
  const server = createServer((socket: Socket) => {
    const closingLines = () => 'date: now\r\n';
    write(new LaneResponse({ socket, closingLines, ended: () => socket.end() }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect(portOf(server), '127.0.0.1');
  const parts: Buffer[] = [];
  for await (const part of client) parts.push(part as Buffer);
  server.close();
  return Buffer.concat(parts);
}

const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));

test('LaneResponse frames what is written, by length or in chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 5 }), bytes, fc.boolean(), async (...given) => {
      const [parts, last, chunked] = given;
      const all = Buffer.concat([...parts, last]);
      const sent = await bytesOf((response) => {
        const length = chunked ? [] : ['content-length', String(all.length)];
        response.writeHead(201, ['x-a', 'b', ...length]);
        for (const part of parts) response.write(part);
        response.end(last);
      });
      const read = readAnswer(sent, { method: 'POST', ended: true });
      expect(read?.rest.length).toBe(0);
      expect(read?.answer.status).toBe(201);
      expect(read?.answer.framing).toBe(chunked ? 'chunked' : 'length');
      expect(read?.answer.body.equals(all)).toBe(true);
    }),
    { numRuns: 150, seed: 3 },
  );
});

test('LaneResponse sends a text as a byte a unit', async () => {
  for (const headers of [['content-length', '2'], []]) {
    const sent = await bytesOf((response) => {
      response.writeHead(200, headers);
      response.end('é!', 'latin1');
    });
    const body = readAnswer(sent, { method: 'POST', ended: true })?.answer.body;
    expect([...(body ?? [])]).toEqual([0xe9, 0x21]);
  }
});

test('LaneResponse ends once, and writes nothing after it', async () => {
  const sent = await bytesOf((response) => {
    response.writeHead(200, ['content-length', '1']);
    expect(() => response.writeHead(200, [])).toThrow(/written/);
    response.end('a', 'latin1').end('b', 'latin1');
    response.write(Buffer.from('c'));
  });
  expect(sent.toString().endsWith('\r\n\r\na')).toBe(true);
});
