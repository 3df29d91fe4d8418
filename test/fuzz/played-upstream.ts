import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { portOf } from '../kit/ports.ts';

/** What an upstream may do next with a request that it has: the moves of a play. */
export type Move = 'answer' | 'head' | 'token' | 'refuse' | 'limit' | 'error' | 'cut' | 'reset';

export const MOVES: readonly Move[] = [
  'answer',
  'head',
  'token',
  'refuse',
  'limit',
  'error',
  'cut',
  'reset',
];

/** One request that has come, and how far its answer is. */
export interface PlayedExchange {
  /** Which upstream has it, and its number there: both stand in all that is answered. */
  readonly name: string;
  /** The call's id. */
  readonly call: string;
  readonly streamed: boolean;
  /** Tokens that were sent. */
  readonly tokens: number;
  readonly over: boolean;
}

/** An upstream that does nothing by itself but what it is told, move by move. */
export interface PlayedUpstream {
  readonly url: string;
  /** All that have come, oldest first. */
  readonly exchanges: readonly PlayedExchange[];
  /** Those whose answer is not over and whose connection still stands, oldest first. */
  open(): readonly PlayedExchange[];
  move(exchange: PlayedExchange, move: Move): void;
  /** Answers all that is open, and from now on whatever comes. */
  answerAll(): void;
  close(): Promise<void>;
}

class Exchange implements PlayedExchange {
  readonly name: string;
  readonly call: string;
  readonly streamed: boolean;
  readonly #socket: Socket;
  tokens = 0;
  over = false;
  #begun = false;
  readonly #closed = (): void => this.#end();

  constructor(socket: Socket, name: string, request: string) {
    this.#socket = socket;
    this.name = name;
    this.call = /hello (r\d+)/.exec(request)?.[1] ?? '';
    this.streamed = request.includes('"stream":true');
    socket.once('close', this.#closed);
  }

  play(move: Move): void {
    if (this.over) return;
    if (move === 'reset') this.#break(() => this.#socket.resetAndDestroy());
    else if (move === 'cut') this.#break(() => this.#socket.end());
    else if (this.#begun && (move === 'refuse' || move === 'limit')) this.play('reset');
    else if (move === 'refuse') this.#whole(503, ERROR);
    else if (move === 'limit') this.#whole(429, ERROR);
    else if (this.streamed) this.#stream(move);
    else this.#answer(move);
  }

  #answer(move: Move): void {
    if (move === 'error') {
      if (this.#begun) this.play('cut');
      else this.#whole(500, ERROR);
      return;
    }
    const body = completion(this.name);
    const middle = body.length >> 1;
    if (move === 'head' || move === 'token') {
      if (!this.#begun) this.#socket.write(`${headOf(200, body.length)}${body.slice(0, middle)}`);
      this.#begun = true;
      return;
    }
    this.#socket.write(this.#begun ? body.slice(middle) : `${headOf(200, body.length)}${body}`);
    this.#end();
  }

  #stream(move: Move): void {
    if (!this.#begun) {
      this.#socket.write(STREAM_HEAD + chunk(event(this.name, { role: 'assistant' }, null)));
      this.#begun = true;
    }
    if (move === 'token') {
      this.tokens += 1;
      const content = `${this.name}#${this.tokens} `;
      this.#socket.write(chunk(event(this.name, { content }, null)));
    } else if (move === 'error') {
      this.#socket.write(`${chunk(`data: ${ERROR}\n\n`)}0\r\n\r\n`);
      this.#end();
    } else if (move === 'answer') {
      if (this.tokens === 0) this.#stream('token');
      const last = event(this.name, {}, 'stop');
      this.#socket.write(`${chunk(last)}${chunk('data: [DONE]\n\n')}0\r\n\r\n`);
      this.#end();
    }
  }

  #whole(status: number, body: string): void {
    this.#socket.write(headOf(status, body.length) + body);
    this.#end();
  }

  #break(how: () => void): void {
    how();
    this.#end();
  }

  #end(): void {
    this.over = true;
    // Many may use one connection, one after the other.
    this.#socket.off('close', this.#closed);
  }
}

const ERROR = JSON.stringify({
  error: { message: 'ill', type: 'server_error', param: null, code: null },
});

function completion(content: string): string {
  const message = { role: 'assistant', content };
  const choices = [{ index: 0, message, finish_reason: 'stop' }];
  return JSON.stringify({ id: content, object: 'chat.completion', choices });
}

function event(id: string, delta: object, finish_reason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason }];
  return `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', choices })}\n\n`;
}

const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

function headOf(status: number, length: number): string {
  const type = 'content-type: application/json';
  return `HTTP/1.1 ${status} Said\r\n${type}\r\ncontent-length: ${length}\r\n\r\n`;
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

export async function startPlayedUpstream(name: string): Promise<PlayedUpstream> {
  const exchanges: Exchange[] = [];
  const sockets = new Set<Socket>();
  let atOnce = false;

  const serve = (socket: Socket): void => {
    let got: Buffer = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    socket.on('data', (part: Buffer) => {
      got = Buffer.concat([got, part]);
      const end = got.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = got.toString('latin1', 0, end);
      const whole = end + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (got.length < whole) return;
      const request = got.toString('latin1', 0, whole);
      got = got.subarray(whole);
      const exchange = new Exchange(socket, `${name}.${exchanges.length + 1}`, request);
      exchanges.push(exchange);
      if (atOnce) exchange.play('answer');
    });
  };
  const server = createServer({ noDelay: true }, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const open = (): readonly Exchange[] => exchanges.filter(({ over }) => !over);
  return {
    url: `http://127.0.0.1:${portOf(server)}/v1`,
    exchanges,
    open,
    move: (exchange, move) => (exchange as Exchange).play(move),
    answerAll() {
      atOnce = true;
      for (const one of open()) one.play('answer');
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
