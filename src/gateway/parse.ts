import { isUtf8 } from 'node:buffer';
import { bufferOf } from '../core/buffer-of.ts';
import type { Json, JsonObject } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';
import { shapeProblem } from '../core/json-scan.ts';
import type { MaybePromise } from '../core/plugin.ts';
import { printable } from '../core/printable.ts';
import { ByteParts } from './bytes/byte-parts.ts';
import type { Account } from './bytes/held-bytes.ts';
import { readInShares } from './clock/in-shares.ts';
import type { TurnEnd } from './clock/turn-end.ts';
import type { FieldRule, ModelRoute } from './endpoints.ts';
import type { InboundRequest, RequestHead } from './front/inbound.ts';
import { type BodySink, LaneRequest } from './front/lane-request.ts';

/** Deeper JSON than this is an attack on whoever walks it, here or upstream. */
export const JSON_DEPTH_MAX = 64;

/**
 * A million empty lists, or an object of 200,000 keys, are within 4 MiB and hold the event loop for
 * half a second; a conversation of ten thousand turns has fewer parts than this.
 */
const SHAPE_MAX = { depth: JSON_DEPTH_MAX, parts: 100_000 };

/** What every body of a model route must be before anything looks at it more closely. */
export interface ParsedBody {
  readonly body: JsonObject;
  readonly raw: Uint8Array;
  /** As the client wrote it; empty where the route lets it be left out, and it was. */
  readonly model: string;
  readonly stream: boolean;
}

/**
 * The body's bytes, at once where all of them are here. Rejects (or throws) with what is wrong with
 * them, or with `client_closed` where they ended early.
 */
export function readBody(
  request: InboundRequest,
  bytes_max: number,
  account: Account,
  turn: TurnEnd,
): MaybePromise<Uint8Array> {
  const tooLarge = (): GatewayError =>
    new GatewayError('body_too_large', `The request body is larger than ${bytes_max} bytes.`, {
      param: 'body',
    });
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    const message = `Content-Encoding ${printable(encoding)} is not accepted: send plain JSON.`;
    throw new GatewayError('unsupported_media_type', message, { param: 'content-encoding' });
  }
  if (lengthOf(request) > bytes_max) throw tooLarge();
  const here = request instanceof LaneRequest ? request.whole() : null;
  if (here !== null) {
    if (!account.take(here.length)) throw tooManyBytes();
    return here;
  }

  return new Promise((resolve, reject) => {
    const parts = new ByteParts();
    let over = false;
    const refuse = (error: GatewayError): void => {
      over = true;
      reject(error);
    };
    takeBody(request, turn, {
      data(part) {
        if (over) return;
        if (parts.bytes + part.length > bytes_max) return refuse(tooLarge());
        if (!account.take(part.length)) return refuse(tooManyBytes());
        parts.push(part);
      },
      end() {
        if (over) return;
        over = true;
        resolve(parts.join());
      },
      gone() {
        if (!over) refuse(new GatewayError('client_closed', 'The client left amid its request.'));
      },
    });
  });
}

/**
 * Of Node's request the listeners stay: it is over soon, and taking four away costs more than one
 * flag. `gone` may come after `end` there.
 */
function takeBody(request: InboundRequest, turn: TurnEnd, sink: BodySink): void {
  if (request instanceof LaneRequest) {
    request.take(sink);
    return;
  }
  readInShares(request, turn, (part) => sink.data(part));
  request.on('end', () => sink.end());
  request.on('close', () => sink.gone());
  // Also later: an error of a socket that nobody reads any more must not end the process.
  request.on('error', () => sink.gone());
}

/** Reads what is left of a body and throws it away; `over` says when there is no more. */
export function discardBody(request: InboundRequest, turn: TurnEnd, over: () => void): void {
  if (request instanceof LaneRequest) request.discard(over);
  else readInShares(request.once('end', over).once('close', over), turn, () => {});
}

function tooManyBytes(): GatewayError {
  const message = 'The gateway holds as many bytes of calls as it can take.';
  return new GatewayError('overloaded', message, { retry_after_s: 1 });
}

/** Parses a route's body, frozen in depth. Throws GatewayError naming the field at fault. */
export function parseBody(raw: Uint8Array, route: ModelRoute): ParsedBody {
  const body = parseObject(raw);
  const model = modelOf(body.model, route);
  for (const rule of route.fields) requireField(body, rule);
  const { stream } = body;
  if (!route.streams) return { body, raw, model, stream: false };
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw badField('stream', 'stream must be true or false.');
  }
  return { body, raw, model, stream: stream === true };
}

function modelOf(model: Json | undefined, route: ModelRoute): string {
  if (model === undefined || model === null || model === '') {
    if (route.model_optional) return '';
    throw badField('model', 'You must name a model: an agent, a target or provider/model.');
  }
  if (typeof model === 'string') return model;
  throw badField('model', 'model must be a string.');
}

function requireField(body: JsonObject, { name, is, unless = [] }: FieldRule): void {
  const value = body[name];
  if (value === undefined || (value === null && unless.length > 0)) {
    const stored = unless.some((other) => (body[other] ?? null) !== null);
    if (stored) return;
  }
  if (IS[is](value)) return;
  const what = value === undefined ? 'is required' : 'has the wrong type';
  throw badField(name, `${name} ${what}: it must be ${KIND_WORDS[is]}.`);
}

type Kind = FieldRule['is'];

const isTextOrList = (value: unknown): boolean => typeof value === 'string' || Array.isArray(value);

/** A loop, since this is asked of each call: `every` would call a function for each message. */
function areMembers(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (const member of value as readonly unknown[]) {
    if (typeof member !== 'object' || member === null) return false;
  }
  return true;
}

const IS: Readonly<Record<Kind, (value: Json | undefined) => boolean>> = {
  objects: areMembers,
  'text or list': isTextOrList,
  'text, list or null': (value) => value === null || isTextOrList(value),
  number: (value) => typeof value === 'number',
};

const KIND_WORDS: Readonly<Record<Kind, string>> = {
  objects: 'an array of objects',
  'text or list': 'a string or an array',
  'text, list or null': 'a string, an array or null',
  number: 'a number',
};

function faultOf(raw: Uint8Array, said: string, position: string | undefined): string {
  if (position) return `unexpected token at ${position}.`;
  if (raw[0] === 0xef && raw[1] === 0xbb) return 'it begins with a byte order mark.';
  return said.includes('end of JSON input') ? 'it ends too early.' : 'unexpected token.';
}

function parseObject(raw: Uint8Array): JsonObject {
  const invalid = (why: string, cause?: unknown) =>
    new GatewayError('invalid_json', `The request body is not valid JSON: ${why}`, {}, cause);
  if (raw.length === 0) throw invalid('it is empty.');
  if (!isUtf8(raw)) throw invalid('it is not UTF-8.');
  // A large one may hold millions of levels, and to make them all takes half a second.
  const bytes = bufferOf(raw);
  if (raw.length > LARGE_BYTES) requireShape(bytes);
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (thrown) {
    // V8 quotes the text around the fault; a position is enough, and tells no log what was asked.
    const position = /position \d+/.exec(String(thrown))?.[0];
    throw invalid(faultOf(raw, String(thrown), position), thrown);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new GatewayError('bad_request', 'The request body must be a JSON object.', {
      param: 'body',
    });
  }
  freezeDeep(parsed, 1);
  return parsed as JsonObject;
}

function requireShape(bytes: Buffer): void {
  const problem = shapeProblem(bytes, SHAPE_MAX);
  if (problem === 'deep') throw tooDeep();
  if (problem === null) return;
  const message = `The request body has more than ${SHAPE_MAX.parts} objects, lists and members.`;
  throw new GatewayError('bad_request', message, { param: 'body' });
}

/** Plugins share one body: frozen, a change of it throws in the plugin that tries. */
function freezeDeep(value: object, depth: number): void {
  if (depth > JSON_DEPTH_MAX) throw tooDeep();
  if (Array.isArray(value)) {
    for (const member of value as readonly unknown[]) {
      if (typeof member === 'object' && member !== null) freezeDeep(member, depth + 1);
    }
  } else {
    for (const key in value) {
      const member = (value as Record<string, unknown>)[key];
      if (typeof member === 'object' && member !== null) freezeDeep(member, depth + 1);
    }
  }
  Object.freeze(value);
}

/** Smaller ones are parsed before anything could be gained by a look at them. */
const LARGE_BYTES = 64 * 1024;

function tooDeep(): GatewayError {
  const message = `The request body is nested deeper than ${JSON_DEPTH_MAX} levels.`;
  return new GatewayError('bad_request', message, { param: 'body' });
}

function badField(param: string, message: string): GatewayError {
  return new GatewayError('bad_request', message, { param });
}

/** Bytes of its body as its head tells them; 0 where it does not. */
export function lengthOf(request: InboundRequest): number {
  if (request instanceof LaneRequest) return request.length;
  return Number(request.headers['content-length'] ?? 0);
}

/** A request header's value, or null; of several, the first. */
export function headerOf(request: Pick<RequestHead, 'headers'>, name: string): string | null {
  const value = request.headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined || first === '' ? null : first;
}

/** The client's `x-request-id` where it is printable ASCII of at most 128 characters, else null. */
export function clientRequestId(request: InboundRequest): string | null {
  const given = headerOf(request, 'x-request-id');
  return given !== null && /^[\x21-\x7e]{1,128}$/.test(given) ? given : null;
}

/** `x-hive-timeout-ms`, or null where it is absent. */
export function clientTimeout(request: InboundRequest): number | null {
  const given = headerOf(request, 'x-hive-timeout-ms');
  if (given === null) return null;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new GatewayError('bad_request', 'x-hive-timeout-ms must be a whole number of ms.', {
    param: 'x-hive-timeout-ms',
  });
}

/** Headers of the client that its provider may see; all others end here. */
const RELAYED = ['anthropic-version', 'anthropic-beta', 'openai-beta'];
const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** The allowed headers among those sent. What HTTP may not carry on is refused, not dropped. */
export function relayedHeaders(request: InboundRequest): Readonly<Record<string, string>> {
  let relayed: Record<string, string> | null = null;
  for (const name of RELAYED) {
    const value = headerOf(request, name);
    if (value === null) continue;
    if (!/^[\x20-\x7e]{1,1024}$/.test(value)) {
      throw badField(name, `${name} must be at most 1024 printable characters.`);
    }
    relayed ??= {};
    relayed[name] = value;
  }
  return relayed === null ? NONE : Object.freeze(relayed);
}
