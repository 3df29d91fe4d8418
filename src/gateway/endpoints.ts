import type { IncomingHttpHeaders } from 'node:http';
import { type Dialect, dialectOf, type Endpoint } from '../core/call.ts';

/** One model route: what its bodies must have, and whether `stream: true` means anything there. */
export interface ModelRoute {
  readonly path: string;
  readonly endpoint: Endpoint;
  readonly streams: boolean;
  /** Whether a body may leave the model to the agent, as the protocol allows. */
  readonly model_optional: boolean;
  readonly fields: readonly FieldRule[];
  /** Whether a body may go on from a response, which only its own provider knows. */
  readonly continues: boolean;
}

/** A field that every body needs; everything else about it is the upstream's to judge. */
export interface FieldRule {
  readonly name: string;
  readonly is: 'objects' | 'text or list' | 'text, list or null' | 'number';
  /** Fields that may stand in its place. */
  readonly unless?: readonly string[];
}

const MESSAGES: FieldRule = { name: 'messages', is: 'objects' };
const INPUT: FieldRule = { name: 'input', is: 'text or list' };
const STORED_INPUT = ['prompt', 'previous_response_id', 'conversation'];

const ROUTES: readonly ModelRoute[] = [
  route('/v1/chat/completions', 'chat.completions', [MESSAGES]),
  { ...route('/v1/responses', 'responses', [{ ...INPUT, unless: STORED_INPUT }]), continues: true },
  {
    ...whole('/v1/responses/input_tokens', 'responses.input_tokens', []),
    model_optional: true,
    continues: true,
  },
  {
    ...whole('/v1/responses/compact', 'responses.compact', [{ ...INPUT, unless: STORED_INPUT }]),
    continues: true,
  },
  route('/v1/completions', 'completions', [{ name: 'prompt', is: 'text, list or null' }]),
  whole('/v1/embeddings', 'embeddings', [INPUT]),
  { ...whole('/v1/moderations', 'moderations', [INPUT]), model_optional: true },
  route('/v1/messages', 'messages', [MESSAGES, { name: 'max_tokens', is: 'number' }]),
  whole('/v1/messages/count_tokens', 'messages.count_tokens', [MESSAGES]),
];

function route(path: string, endpoint: Endpoint, fields: readonly FieldRule[]): ModelRoute {
  return { path, endpoint, streams: true, model_optional: false, fields, continues: false };
}

function whole(path: string, endpoint: Endpoint, fields: readonly FieldRule[]): ModelRoute {
  return { ...route(path, endpoint, fields), streams: false };
}

export const MODEL_ROUTES: ReadonlyMap<string, ModelRoute> = new Map(
  ROUTES.map((one) => [one.path, one]),
);

export function pathOfEndpoint(endpoint: Endpoint): string {
  return ROUTES.find((one) => one.endpoint === endpoint)?.path ?? endpoint;
}

const MESSAGES_PATH = '/v1/messages';
export const MODELS_PATH = '/v1/models';

export const RESPONSES_PATH = '/v1/responses';

/** What lies below `/v1/responses/{id}`, and how it may be asked for. */
export const STORED_PARTS = {
  '': ['GET', 'DELETE'],
  '/cancel': ['POST'],
  '/input_items': ['GET'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** All of them, as `GET /v1/responses/{id}`. */
export const STORED_ROUTES: readonly string[] = Object.entries(STORED_PARTS).flatMap(
  ([part, methods]) => methods.map((method) => `${method} ${RESPONSES_PATH}/{id}${part}`),
);

/** Whether a path is one below `/v1/responses`: about a response that was made before. */
export function isStoredPath(path: string): boolean {
  return path.startsWith(`${RESPONSES_PATH}/`);
}

/** Whether a path is `/v1/models` or one below it. */
export function isModelsPath(path: string): boolean {
  return path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`);
}

/**
 * In whose words a request is answered, known before anything of it is valid. `/v1/models`, and
 * what there is not, are routes of both: Anthropic's clients always name the version they speak.
 */
export function dialectOfRequest(path: string, headers: IncomingHttpHeaders): Dialect {
  const known = MODEL_ROUTES.get(path);
  if (known) return dialectOf(known.endpoint);
  if (path.startsWith(`${MESSAGES_PATH}/`)) return 'anthropic';
  const either = path.startsWith('/v1/') && !isStoredPath(path);
  return either && headers['anthropic-version'] !== undefined ? 'anthropic' : 'openai';
}
