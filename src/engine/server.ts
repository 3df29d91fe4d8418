import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { JsonObject } from '../core/canonical.ts';
import type { Log } from '../core/log.ts';
import { answerStream, answerWhole, sendJson } from './answer.ts';
import { parseChatRequest } from './chat-request.ts';
import { EngineError, toEngineError } from './engine-error.ts';
import type { ServedModel } from './served-model.ts';

export interface EngineServerDeps {
  /** By provider name, the first part of the path. */
  readonly models: ReadonlyMap<string, ServedModel>;
  readonly log: Log;
  wall_ms(): number;
  /** A fresh id of a completion. */
  createId(): string;
}

const BODY_BYTES_MAX = 32 * 1024 * 1024;
/**
 * Longer than the gateway keeps an idle connection, so that it is never the engine that hangs up.
 */
const KEEP_ALIVE_MS = 120_000;

/**
 * `/health`, and for each provider `/<provider>/v1/models` and `/<provider>/v1/chat/completions`.
 */
export function createEngineServer(deps: EngineServerDeps): Server {
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client hung up'));
    });
    route(deps, request, response, gone.signal).catch((thrown: unknown) => {
      if (!gone.signal.aborted) refuse(deps.log, request, response, thrown);
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

async function route(
  deps: EngineServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path === '/health') return sendJson(response, 200, health(deps.models));
  const [, provider = '', route] = /^\/([^/]+)\/v1\/(models|chat\/completions)$/.exec(path) ?? [];
  const model = deps.models.get(provider);
  if (!model || !route) throw new EngineError(404, 'NotFoundError', `There is no ${path}.`);
  const method = route === 'models' ? 'GET' : 'POST';
  if (request.method !== method) {
    throw new EngineError(405, 'invalid_request_error', `${path} takes ${method}.`);
  }
  if (route === 'models') return sendJson(response, 200, listing(model));
  const asked = parseChatRequest(await readBody(request));
  const head = { id: deps.createId(), created_s: Math.floor(deps.wall_ms() / 1000) };
  const answer = asked.stream ? answerStream : answerWhole;
  await answer(model, asked, response, head, signal);
}

function health(models: EngineServerDeps['models']): JsonObject {
  const states = [...models].map(([name, model]) => [name, model.failure ?? 'ready']);
  return { status: 'ok', models: Object.fromEntries(states) };
}

/** Only what can answer; adapters name their base as `parent`, as vLLM's do. */
function listing(model: ServedModel): JsonObject {
  const card = { object: 'model', created: 0, owned_by: 'liquid-hive' };
  const base = { ...card, id: model.id, parent: null };
  const adapters = model.adapters.map((name) => ({
    ...card,
    id: `${model.id}:${name}`,
    parent: model.id,
  }));
  return { object: 'list', data: model.failure === null ? [base, ...adapters] : [] };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) {
      const message = `The body has more than ${BODY_BYTES_MAX} bytes.`;
      throw new EngineError(413, 'invalid_request_error', message);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function refuse(
  log: Log,
  request: IncomingMessage,
  response: ServerResponse,
  thrown: unknown,
): void {
  const error = toEngineError(thrown);
  if (error.status >= 500) {
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    log.error(error.message, { path: request.url, code: error.code, cause });
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error.status === 429) response.setHeader('retry-after', '1');
  // A body that was not read to its end would be taken for the connection's next request.
  if (!request.complete) response.setHeader('connection', 'close');
  sendJson(response, error.status, error.body);
}
