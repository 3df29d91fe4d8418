import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { apiOf } from '../kit/actor.ts';
import type { Exchange } from '../kit/behaviours.ts';
import { portOf } from '../kit/ports.ts';

/** An upstream that answers whatever it is asked and keeps nothing: no 5xx is excused by it. */
export interface SteadyUpstream {
  readonly url: string;
  calls(): number;
  close(): Promise<void>;
}

const SCENE = { kind: 'text', words: ['one ', 'two'] } as const;
const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

/** Answers of the endpoints that never stream. */
const WHOLE: Readonly<Record<string, object>> = {
  embeddings: {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
    model: 'm',
    usage: USAGE,
  },
  moderations: { id: 'modr_1', model: 'm', results: [{ flagged: false }] },
  count_tokens: { input_tokens: 3 },
  input_tokens: { object: 'response.input_tokens', input_tokens: 3 },
  compact: { id: 'cmp_1', object: 'response.compaction', output: [] },
};

export async function startSteadyUpstream(): Promise<SteadyUpstream> {
  let calls = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    calls += 1;
    void answer(incoming, response, calls).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}/v1`,
    calls: () => calls,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  number: number,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const path = incoming.url ?? '';
  const body = objectOf(Buffer.concat(parts));
  const whole = WHOLE[path.slice(path.lastIndexOf('/') + 1)];
  const api = apiOf(path.includes('/responses') ? '/responses' : path);
  const streams = body.stream === true || path.includes('stream=true');
  if (whole || !streams) {
    const text = path.endsWith('/v1/completions');
    const exchange = { request: { body }, number } as unknown as Exchange;
    const choices = [{ index: 0, text: 'one two', logprobs: null, finish_reason: 'stop' }];
    const completion = { id: 'cmpl', object: 'text_completion', created: 1, model: 'm', choices };
    response.setHeader('content-type', 'application/json');
    const said = whole ?? (text ? completion : api.whole(SCENE, exchange));
    response.end(JSON.stringify(said));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const exchange = { request: { body }, number } as unknown as Exchange;
  response.end(api.events(SCENE, exchange).join(''));
}

function objectOf(raw: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(raw.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as never) : {};
  } catch {
    return {};
  }
}
