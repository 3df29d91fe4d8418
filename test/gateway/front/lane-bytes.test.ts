import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { createLane } from '../../../src/gateway/front/lane.ts';
import { listen } from '../../../src/gateway/front/listen.ts';
import { openHttp } from '../../kit/http-connection.ts';
import { until } from '../../kit/until.ts';

test('the lane keeps bytes of connections apart that are read into one buffer', async () => {
  const bodies: Buffer[][] = [];
  let heard = 0;
  const server = createServer();
  const lane = createLane(server, {
    serves: () => true,
    serve(request) {
      const parts: Buffer[] = [];
      bodies.push(parts);
      const data = (part: Buffer): void => {
        parts.push(part);
        heard += part.length;
      };
      request.take({ data, end: () => {}, gone: () => {} });
    },
    tooSlow: () => '',
    notHttp: () => '',
    limits: { headers_ms: 60_000, body_ms: 60_000, keep_alive_ms: 60_000 },
    head_bytes_max: 4096,
    check_ms: 1000,
    monotonic_ms: () => 0,
    wall_ms: () => 0,
  });
  const port = await listen(server, '127.0.0.1', 0);
  const clients = await Promise.all(Array.from({ length: 8 }, () => openHttp(port)));
  const piece = (at: number): string => `${at}`.repeat(500);
  // Each piece is read before the next is sent: whatever is kept of it is overwritten by that.
  for (let nth = 0; nth < 6; nth += 1) {
    for (const [at, client] of clients.entries()) {
      const head = 'POST /lane HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\n\r\n';
      await client.write(nth === 0 ? head + piece(at) : piece(at));
      const all = (nth * clients.length + at + 1) * 500;
      await until(() => heard === all, { what: 'the piece to be read', every_ms: 1 });
    }
  }
  const read = bodies.map((parts) => Buffer.concat(parts).toString());
  expect(read).toEqual(clients.map((_, at) => `${at}`.repeat(3000)));
  for (const { socket } of clients) socket.destroy();
  lane.close();
  lane.closeAll();
  server.close();
});
