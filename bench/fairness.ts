import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Agent } from 'undici';
import { startProduct } from '../test/kit/product.ts';
import { answer, startUpstream } from '../test/kit/upstream.ts';

// What a call waits for beside others that take all they can get: `node bench/fairness.ts`, or
// with the number of a kind, or several. Small calls come at a steady pace; a process of its own
// holds the upstream that floods, and the clients that take or send as fast as TCP does.

const [PACE_MS, GREEDY] = [20, 8];
const seconds = Math.min(60, Math.max(2, Number(process.env.BENCH_SECONDS ?? 6) || 6));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Kind {
  readonly name: string;
  /** How many of them at once. */
  readonly clients: number;
  /** What its client sends after a head, for ever; a plain call where there is none. */
  readonly upload?: string;
  readonly stream?: boolean;
  readonly head?: string;
  /** What the upstream sends after its head, for ever or so many times, as fast as it is taken. */
  readonly piece?: string;
  readonly times?: number;
  readonly tail?: string;
}

const EVENTS = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';
const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const CHUNKED = 'transfer-encoding: chunked\r\n\r\n';
const MB = 1024 * 1024;
const word = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content } }] })}\n\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

const streams = (name: string, head: string, piece: string): Kind => {
  return { name, clients: GREEDY, stream: true, head: EVENTS + head, piece };
};

const KINDS: readonly Kind[] = [
  { name: 'nobody else', clients: 0 },
  streams('8 streams of tiny events', '\r\n', 'data:{}\n\n'.repeat(999)),
  streams('8 streams of words', '\r\n', word('word ').repeat(199)),
  streams('8 streams of words, each a chunk', CHUNKED, chunk(word('word ')).repeat(199)),
  streams('8 streams in chunks of a byte', CHUNKED, '1\r\nd\r\n1\r\n:\r\n'.repeat(999)),
  streams('8 streams of large events', '\r\n', word('y'.repeat(64 * 1024))),
  {
    name: '8 answers in chunks of a byte',
    clients: GREEDY,
    head: JSON_HEAD + CHUNKED,
    piece: '1\r\ny\r\n'.repeat(999),
  },
  {
    name: '1 answer of 60 MB after the other',
    clients: 1,
    head: `${JSON_HEAD}content-length: ${60 * MB + 21}\r\n\r\n{"choices":[],"a":"`,
    piece: 'y'.repeat(MB),
    times: 60,
    tail: '"}',
  },
  {
    name: '1 upload of 8 MB after the other, in chunks of a byte',
    clients: 1,
    upload: '1\r\n \r\n'.repeat(999),
  },
  {
    name: '8 uploads of 8 MB after the other, in chunks of a byte',
    clients: GREEDY,
    upload: '1\r\n \r\n'.repeat(999),
  },
];

async function measureAll(): Promise<void> {
  const asked = process.argv.slice(2).map(Number);
  const well = await startUpstream(answer('ok'));
  const greedy = fork(fileURLToPath(import.meta.url));
  const [{ url }] = (await once(greedy, 'message')) as [{ url: string }];
  const product = await startProduct({
    policies: { 'gateway.yaml': policy(url, well.url), 'oracle_policies.yaml': 'version: 1\n' },
    env: process.env.FAIR_OPTIONS ? { NODE_OPTIONS: process.env.FAIR_OPTIONS } : {},
  });
  try {
    await steadyCalls(product.gateway_url, 3000, 2);
    for (const [index, kind] of KINDS.entries()) {
      if (asked.length > 0 && !asked.includes(index)) continue;
      await measure(product.gateway_url, greedy, index, kind);
    }
  } finally {
    await product.stop();
    greedy.disconnect();
    await well.close();
  }
}

function policy(greedy: string, well: string): string {
  return `version: 1
providers:
  greedy: { use: openai, base_url: ${greedy}, network: private }
  well: { use: openai, base_url: ${well}, network: private }
targets:
  greedy: { provider: greedy, model: m }
  well: { provider: well, model: m }
agents:
  default: { targets: [well] }
  greedy: { targets: [greedy] }
resilience: { retry: { retries: 0 }, breaker: { calls_min: 1000000, failures: 1000000 } }
`;
}

async function measure(url: string, greedy: ChildProcess, index: number, { name }: Kind) {
  greedy.send({ begin: index, url });
  await once(greedy, 'message');
  const times = await steadyCalls(url, seconds * 1000, PACE_MS);
  greedy.send({ end: index });
  const [{ bytes, ended }] = (await once(greedy, 'message')) as [{ bytes: number; ended: number }];
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
  const rate = (bytes / MB / seconds).toFixed(1);
  say(
    `${index} ${name}: ${times.length} calls, p50 ${at(0.5)} p99 ${at(0.99)} ` +
      `max ${at(0.99999)} ms; others: ${rate} MB/s, ${ended} ended`,
  );
  await steadyCalls(url, 1000, PACE_MS);
}

/** Calls at a pace, whether those before them have been answered or not; milliseconds, sorted. */
async function steadyCalls(url: string, for_ms: number, pace_ms: number): Promise<number[]> {
  const agent = new Agent({ connections: 500, pipelining: 1 });
  const times: number[] = [];
  const body = JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'hi' }] });
  const headers = { 'content-type': 'application/json' };
  const one = async (): Promise<void> => {
    const begun_ms = performance.now();
    const to = { origin: url, path: '/v1/chat/completions', method: 'POST' as const };
    const got = await agent.request({ ...to, headers, body });
    const text = await got.body.text();
    if (got.statusCode !== 200) say(`a call failed: ${got.statusCode} ${text}`);
    times.push(performance.now() - begun_ms);
  };
  const open: Promise<void>[] = [];
  const begun_ms = performance.now();
  while (performance.now() < begun_ms + for_ms) {
    const due = Math.floor((performance.now() - begun_ms) / pace_ms);
    for (let sent = open.length; sent <= due; sent += 1) open.push(one());
    await new Promise((resolve) => setTimeout(resolve, pace_ms / 4));
  }
  await Promise.all(open);
  await agent.destroy();
  return times.sort((left, right) => left - right);
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

/** The process of those who take all they can get. */
async function flood(): Promise<void> {
  let kind: Kind = KINDS[0] as Kind;
  let stop = (): void => {};
  let [bytes, ended] = [0, 0];
  const upstream = createServer((socket) => {
    socket.on('error', () => {});
    const { head = '', piece = '', times, tail } = kind;
    socket.once('data', () => void send(socket, head, piece, times, tail));
  });
  const url = await listening(upstream);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (told: { begin?: number; url: string }) => {
    if (told.begin === undefined) {
      stop();
      process.send?.({ bytes, ended });
      return;
    }
    kind = KINDS[told.begin] as Kind;
    [bytes, ended] = [0, 0];
    const sockets = new Set<Socket>();
    let running = true;
    const client = (): void => {
      const { hostname, port } = new URL(told.url);
      const socket = connect({
        host: hostname,
        port: Number(port),
        onread: {
          buffer: Buffer.alloc(256 * 1024),
          callback(length) {
            bytes += length;
            return true;
          },
        },
      });
      sockets.add(socket.on('error', () => {}));
      socket.once('close', () => {
        sockets.delete(socket);
        ended += 1;
        if (running) client();
      });
      void ask(socket, kind);
    };
    for (let count = 0; count < kind.clients; count += 1) client();
    stop = () => {
      running = false;
      for (const socket of sockets) socket.destroy();
    };
    process.send?.({});
  });
  process.send?.({ url });
}

const HEAD = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n';

async function ask(socket: Socket, { upload, stream = false }: Kind): Promise<void> {
  const head = `${HEAD}content-type: application/json\r\n`;
  if (upload !== undefined) {
    await send(socket, `${head}${CHUNKED}`, upload, (8 * MB) / 999);
    return;
  }
  const messages = [{ role: 'user', content: 'hi' }];
  const body = JSON.stringify({ model: 'greedy', stream, messages });
  socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
}

async function send(
  socket: Socket,
  head: string,
  piece: string,
  times = Number.MAX_VALUE,
  tail = '',
): Promise<void> {
  const bytes = Buffer.from(piece, 'latin1');
  let taken: (() => void) | null = null;
  socket.on('drain', () => taken?.()).on('close', () => taken?.());
  socket.write(head, 'latin1');
  for (let sent = 0; sent < times && !socket.destroyed; sent += 1) {
    if (socket.write(bytes)) await new Promise((next) => setImmediate(next));
    else await new Promise<void>((next) => (taken = next));
  }
  if (times < Number.MAX_VALUE) socket.end(tail);
}

if (process.send) await flood();
else await measureAll();
