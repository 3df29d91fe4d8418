import { expect } from 'vitest';
import type { CallEvent } from '../../src/core/event.ts';
import type { HttpAnswer } from '../kit/http-answer.ts';
import type { HttpConnection } from '../kit/http-connection.ts';
import type { PlayedExchange } from './played-upstream.ts';

/** How a request is sent. */
export interface Asking {
  readonly streamed: boolean;
  /** In chunks, which Node's own parser takes; else plain, which the lane takes. */
  readonly chunked: boolean;
  /** Half of its body is kept back at first. */
  readonly halved: boolean;
}

/** What there is to judge a call by, when all is over. */
export interface Seen {
  readonly events: readonly CallEvent[];
  readonly exchanges: readonly PlayedExchange[];
  /** The gateway was stopped amid calls. */
  readonly stopped: boolean;
}

/** A client's call: what it sent, and what it saw. */
export class PlayedCall {
  readonly id: string;
  readonly asking: Asking;
  readonly connection: HttpConnection;
  readonly answered: Promise<void>;
  #rest: string;
  #left = false;
  #answer: HttpAnswer | null = null;
  #fault: unknown = null;
  /** Bytes that came behind its answer, with it. */
  #behind = 0;
  #over = false;

  constructor(id: string, asking: Asking, connection: HttpConnection) {
    this.id = id;
    this.asking = asking;
    this.connection = connection;
    const text = requestText(id, asking);
    const middle = asking.halved ? text.length - 20 : text.length;
    this.#rest = text.slice(middle);
    void connection.write(text.slice(0, middle));
    this.answered = this.#hear();
  }

  get over(): boolean {
    return this.#over || this.#left;
  }

  /** Its client has gone: nobody is to work for it any more. */
  get left(): boolean {
    return this.#left;
  }

  /** It saw its answer, and its connection may carry another. */
  get reusable(): boolean {
    const said = this.#answer?.header('connection') ?? 'close';
    return !this.#left && this.#rest === '' && said !== 'close';
  }

  async #hear(): Promise<void> {
    try {
      this.#answer = await this.connection.answer();
      this.#behind = this.connection.pending().length;
    } catch (thrown) {
      this.#fault = thrown;
    }
    this.#over = true;
  }

  sendRest(): void {
    if (this.#rest === '' || this.over) return;
    void this.connection.write(this.#rest);
    this.#rest = '';
  }

  /** Leaves, whatever the answer is at. */
  leave(how: 'reset' | 'end'): void {
    if (this.over) return;
    this.#left = true;
    if (how === 'reset') this.connection.socket.resetAndDestroy();
    else this.connection.socket.destroy();
  }

  /**
   * That it saw one end that is well formed, and that its record says the same, once; also where
   * the gateway was stopped amid it.
   */
  judge({ events, exchanges, stopped }: Seen): void {
    const mine = events.filter(({ request_id }) => request_id === this.id);
    if ((this.#left || stopped) && this.#rest !== '') {
      // Who left amid the question has not called.
      expect(mine, this.id).toHaveLength(0);
      return;
    }
    expect(mine, this.id).toHaveLength(1);
    const [event] = mine as [CallEvent];
    for (const { target } of event.attempts) expect(['a', 'b']).toContain(target);
    if (this.#left) return;
    expect(this.#fault, this.id).toBeNull();
    const answer = this.#answer as HttpAnswer;
    expect(answer.header('x-request-id')).toBe(this.id);
    expect(this.#behind, `${this.id}: bytes behind its answer`).toBe(0);
    if (answer.status !== 200) {
      const { error } = answer.json() as { readonly error: object };
      expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
      expect(['error', 'rejected'], this.id).toContain(event.outcome);
    } else if (this.asking.streamed) {
      const end = endOf(answer, exchanges);
      expect(end === 'ok' ? ['ok'] : ['error', 'rejected'], this.id).toContain(event.outcome);
    } else {
      const { id } = answer.json() as { readonly id: string };
      expect(exchanges.some(({ name, streamed }) => name === id && !streamed)).toBe(true);
      expect(event.outcome).toBe('ok');
    }
  }
}

/** What the end of a stream says; throws where it has none, or two, or mixes answers. */
function endOf(answer: HttpAnswer, exchanges: readonly PlayedExchange[]): 'ok' | 'error' {
  const data = answer.body
    .toString()
    .split('\n\n')
    .slice(0, -1)
    .map((event) => event.replace(/^data: /, ''));
  const done = data.filter((one) => one === '[DONE]').length;
  const parsed = data.filter((one) => one !== '[DONE]').map((one) => JSON.parse(one) as Event);
  const errors = parsed.filter(({ error }) => error !== undefined).length;
  expect(done + errors).toBe(1);
  expect(data.at(-1)?.includes(done === 1 ? '[DONE]' : '"error"')).toBe(true);
  const all = parsed.filter(({ error }) => error === undefined);
  const names = [...new Set(all.map(({ id }) => id))];
  expect(names).toHaveLength(1);
  const exchange = exchanges.find(({ name }) => name === names[0]);
  const said = all.map(({ choices }) => choices?.[0]?.delta.content ?? '').join('');
  const told = Array.from({ length: exchange?.tokens ?? 0 }, (_, at) => `${names[0]}#${at + 1} `);
  if (done === 1) expect(said).toBe(told.join(''));
  else expect(told.join('').startsWith(said)).toBe(true);
  return done === 1 ? 'ok' : 'error';
}

interface Event {
  readonly id?: string;
  readonly error?: object;
  readonly choices?: readonly { readonly delta: { readonly content?: string } }[];
}

function requestText(id: string, { streamed, chunked }: Asking): string {
  const messages = [{ role: 'user', content: `hello ${id}` }];
  const body = JSON.stringify({ model: 'default', messages, stream: streamed });
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    `x-request-id: ${id}`,
    chunked ? 'transfer-encoding: chunked' : `content-length: ${body.length}`,
  ].join('\r\n');
  const sent = chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
  return `${head}\r\n\r\n${sent}`;
}
