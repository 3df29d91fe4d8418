import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { answerOf, conditionOf } from './models.ts';
import { promptIn } from './policy-files.ts';
import { randomFromState } from './random.ts';
import type { World } from './scenario.ts';

/**
 * The models of a world as an OpenAI-compatible server on loopback. It keeps nothing: a question
 * carries its moment and its luck, so that the same call comes out as it does in process.
 */
export interface SimUpstream {
  /** What the world's policy files name; each model is below it. */
  readonly url: string;
  close(): Promise<void>;
}

/** What a question tells the simulated upstream, within its text. */
export interface Question {
  readonly t_ms: number;
  readonly category: string;
  readonly mood: number;
  /** The state of the attempt's luck. */
  readonly luck: string;
}

export const GOOD = 'sim: as you wished';
export const BAD = 'sim: not as you wished';
const BODY_BYTES_MAX = 1024 * 1024;

export function questionText({ t_ms, category, mood, luck }: Question): string {
  return `[sim ${Math.round(t_ms)} ${category} ${mood.toFixed(6)} ${luck}]`;
}

export function questionIn(text: string): Question | null {
  const found = /\[sim (\d+) (\S+) (-?[\d.]+) ([0-9a-f]{32})\]/.exec(text);
  const [, t_ms, category, mood, luck] = found ?? [];
  if (!t_ms || !category || !mood || !luck) return null;
  return { t_ms: Number(t_ms), category, mood: Number(mood), luck };
}

/** `latency_scale`: a second of the world lasts 1 / latency_scale seconds here. */
export async function startSimUpstream(
  world: World,
  options: { readonly port: number; readonly latency_scale: number },
): Promise<SimUpstream> {
  const server = createServer((request, response) => {
    // A client that has gone away ends its own exchange; nobody is left to be told.
    serve(world, options.latency_scale, request, response).catch(() => response.destroy());
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface ChatBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
}

async function serve(
  world: World,
  latency_scale: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const model = /^\/([^/]+)\/v1\//.exec(request.url ?? '')?.[1] ?? '';
  const body = JSON.parse(await textOf(request)) as ChatBody;
  const said = (role: string): string =>
    (body.messages ?? [])
      .filter((message) => message.role === role)
      .map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)))
      .join('\n');
  const question = questionIn(said('user'));
  if (!question || !Object.hasOwn(world.scenario.models, model)) {
    send(response, 400, {
      error: { message: 'not a question of this world', type: 'bad_request' },
    });
    return;
  }
  const adapter = body.model !== undefined && body.model !== model ? body.model : null;
  const served = { model, prompt: promptIn(said('system')), adapter };
  const condition = conditionOf(world.scenario, served, question.category, question.t_ms);
  const answer = answerOf(condition, randomFromState(question.luck), question.mood);
  const rest_ms = (answer.latency_ms - answer.ttft_ms) / latency_scale;
  await pause(answer.ttft_ms / latency_scale);
  if (answer.error) {
    await pause(rest_ms);
    send(response, 500, { error: { message: 'the model failed', type: 'server_error' } });
    return;
  }
  const usage = {
    prompt_tokens: answer.tokens_in,
    completion_tokens: answer.tokens_out,
    total_tokens: answer.tokens_in + answer.tokens_out,
  };
  const frame = { id: `chatcmpl-${question.luck}`, created: 0, model: body.model ?? model, usage };
  const text = answer.good ? GOOD : BAD;
  if (body.stream) await stream(response, frame, text, rest_ms);
  else {
    await pause(rest_ms);
    const message = { role: 'assistant', content: text };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    send(response, 200, { ...frame, object: 'chat.completion', choices });
  }
}

async function stream(
  response: ServerResponse,
  { usage, ...frame }: { readonly usage: object },
  text: string,
  rest_ms: number,
): Promise<void> {
  const write = (delta: object, finish_reason: string | null, more: object = {}): void => {
    const choices = [{ index: 0, delta, finish_reason }];
    const chunk = { ...frame, object: 'chat.completion.chunk', choices, ...more };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  write({ role: 'assistant', content: text.slice(0, 5) }, null);
  await pause(rest_ms);
  write({ content: text.slice(5) }, null);
  write({}, 'stop', { usage });
  response.end('data: [DONE]\n\n');
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError('the body is too large');
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
