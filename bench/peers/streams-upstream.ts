import { createServer, type Socket } from 'node:net';

/**
 * The upstream of the stream rows: raw sockets and prepared bytes, so that one core feeds thousands
 * of streams. Each gets a chunk every `interval_ms`, their turns spread evenly over it. Arguments:
 * port, interval_ms. Its own process.
 */
const [port = 0, interval_ms = 100] = process.argv.slice(2).map(Number);

const HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n',
);
const event = `data: ${JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'mock-1',
  choices: [{ index: 0, delta: { content: 'quick brown fox' }, finish_reason: null }],
})}\n\n`;
const CHUNK = Buffer.from(`${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`);
const STOPPED = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok';

/** The streams whose turn comes in each millisecond of the interval. */
const turns: Set<Socket>[] = Array.from({ length: interval_ms }, () => new Set());
let next = 0;

const server = createServer({ noDelay: true }, (socket) => {
  const turn = turns[next % interval_ms] as Set<Socket>;
  next += 1;
  let asked = '';
  socket.on('data', (part) => {
    asked = (asked + part.toString('latin1')).slice(-8192);
    const end = asked.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (asked.startsWith('GET ')) {
      socket.write(STOPPED);
      asked = '';
      return;
    }
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(asked)?.[1] ?? 0);
    if (asked.length < end + 4 + length) return;
    asked = '';
    socket.write(HEAD);
    socket.write(CHUNK);
    turn.add(socket);
  });
  socket.on('error', () => {});
  socket.on('close', () => turn.delete(socket));
});
server.listen(port, '127.0.0.1', 8192);

let at_ms = Math.floor(performance.now());
setInterval(() => {
  const now_ms = Math.floor(performance.now());
  // A turn that was missed is made up for, but never more than a whole round of them.
  at_ms = Math.max(at_ms, now_ms - interval_ms);
  for (; at_ms < now_ms; at_ms += 1) {
    for (const socket of turns[at_ms % interval_ms] as Set<Socket>) socket.write(CHUNK);
  }
}, 1);
process.on('SIGTERM', () => process.exit(0));
