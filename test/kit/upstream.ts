import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type Behaviour, type ChatBody, type Exchange, echo, type Received } from './behaviours.ts';
import { portOf } from './ports.ts';

export * from './behaviours.ts';

/**
 * An OpenAI-compatible upstream over a real socket that does what a test tells it to: it answers,
 * streams, fails, stalls or breaks off, and remembers what reached it, byte for byte.
 */
export interface Upstream {
  /** The base URL with `/v1`, as a policy writes it. */
  readonly url: string;
  readonly port: number;
  /** All that reached it, oldest first, `GET /v1/models` included. */
  readonly requests: readonly Received[];
  /** Only the chat completions. */
  readonly calls: readonly Received[];
  /**
   * What the next calls get: one behaviour for all of them, or a queue whose last one repeats.
   * Until the first `script` the upstream echoes the last user message.
   */
  script(script: Script): void;
  /** Ends every open exchange and frees the port. */
  close(): Promise<void>;
}

export type Script = Behaviour | readonly Behaviour[];

/** No behaviour waits longer at once. */
export const DELAY_MS_MAX = 30_000;

type Tracked = { -readonly [Key in keyof Received]: Received[Key] };

export async function startUpstream(script: Script = echo()): Promise<Upstream> {
  const requests: Tracked[] = [];
  const closing = new AbortController();
  let next = queueOf(script);
  let calls = 0;

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await receive(incoming);
    requests.push(request);
    if (request.method === 'GET' && request.path.endsWith('/models')) {
      request.ended = true;
      sendModels(response);
      return;
    }
    calls += 1;
    await next()(openExchange(request, response, calls, closing.signal));
  };

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    // What a behaviour throws once its exchange is over tells nobody anything: the flags say it.
    handle(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);

  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    get calls() {
      return requests.filter((request) => request.path.endsWith('/chat/completions'));
    },
    script(given) {
      next = queueOf(given);
    },
    async close() {
      if (!server.listening) return;
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function queueOf(script: Script): () => Behaviour {
  if (typeof script === 'function') return () => script;
  const queue = [...script];
  return () => (queue.length > 1 ? queue.shift() : queue[0]) ?? echo();
}

async function receive(incoming: IncomingMessage): Promise<Tracked> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const raw = Buffer.concat(parts);
  const body = chatBodyOf(raw);
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const textsOf = (...roles: string[]): string[] =>
    messages.filter((one) => roles.includes(one?.role)).map(({ content }) => textOf(content));
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: incoming.headers,
    raw_headers: incoming.rawHeaders,
    raw,
    body,
    system: textsOf('system', 'developer').join('\n'),
    user: textsOf('user').at(-1) ?? '',
    aborted: false,
    ended: false,
  };
}

function chatBodyOf(raw: Buffer): ChatBody {
  try {
    const parsed: unknown = JSON.parse(raw.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as ChatBody) : {};
  } catch {
    return {};
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { readonly text?: string } | null) => part?.text ?? '').join('');
}

function openExchange(
  request: Tracked,
  response: ServerResponse,
  number: number,
  closing: AbortSignal,
): Exchange {
  const over = new AbortController();
  let byUs = false;
  closing.addEventListener('abort', () => {
    byUs = true;
  });
  response.once('close', () => {
    request.ended = true;
    request.aborted = !response.writableFinished && !byUs;
    over.abort();
  });
  return {
    request,
    response,
    number,
    pause: (ms) => wait(Math.min(ms, DELAY_MS_MAX), undefined, { signal: over.signal }),
    over: new Promise((resolve) => {
      over.signal.addEventListener('abort', () => resolve());
    }),
    cut(how) {
      byUs = true;
      if (how === 'reset') response.socket?.resetAndDestroy();
      else response.socket?.end();
    },
  };
}

function sendModels(response: ServerResponse): void {
  const data = [{ id: 'scripted', object: 'model', created: 0, owned_by: 'test' }];
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ object: 'list', data }));
}
