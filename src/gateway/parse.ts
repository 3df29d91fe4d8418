import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { JsonObject } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';

/** Deeper JSON than this is an attack on whoever walks it, here or upstream. */
export const JSON_DEPTH_MAX = 64;

/** What every chat completion must be before anything looks at it more closely. */
export interface ChatBody {
  readonly body: JsonObject;
  readonly raw: Uint8Array;
  readonly model: string;
  readonly stream: boolean;
}

/**
 * The body's bytes. Rejects with what is wrong with them, or `client_closed` where they ended
 * early.
 */
export function readBody(request: IncomingMessage, bytes_max: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new GatewayError('body_too_large', `The request body is larger than ${bytes_max} bytes.`, {
      param: 'body',
    });
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    const message = `Content-Encoding ${printable(encoding)} is not accepted: send plain JSON.`;
    return Promise.reject(
      new GatewayError('unsupported_media_type', message, { param: 'content-encoding' }),
    );
  }
  if (Number(request.headers['content-length'] ?? 0) > bytes_max) return Promise.reject(tooLarge());

  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const onData = (part: Buffer): void => {
      bytes += part.length;
      parts.push(part);
      if (bytes > bytes_max) finish(() => reject(tooLarge()));
    };
    const onEnd = (): void =>
      finish(() => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)));
    const onClose = (): void =>
      finish(() => reject(new GatewayError('client_closed', 'The client left amid its request.')));
    const finish = (settle: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      // A later error of a socket that nobody reads any more must not end the process.
      request.on('error', () => {});
      settle();
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** Parses a chat completion, frozen in depth. Throws GatewayError naming the field at fault. */
export function parseChat(raw: Uint8Array): ChatBody {
  const body = parseObject(raw);
  const { model, messages, stream } = body;
  if (model === undefined || model === null || model === '') {
    throw badField('model', 'You must name a model: an agent, a target or provider/model.');
  }
  if (typeof model !== 'string') throw badField('model', 'model must be a string.');
  if (!Array.isArray(messages)) throw badField('messages', 'messages must be an array.');
  if (messages.some((message) => typeof message !== 'object' || message === null)) {
    throw badField('messages', 'Each of messages must be an object.');
  }
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw badField('stream', 'stream must be true or false.');
  }
  return { body, raw, model, stream: stream === true };
}

function parseObject(raw: Uint8Array): JsonObject {
  const invalid = (why: string, cause?: unknown) =>
    new GatewayError('invalid_json', `The request body is not valid JSON: ${why}`, {}, cause);
  if (raw.length === 0) throw invalid('it is empty.');
  if (!isUtf8(raw)) throw invalid('it is not UTF-8.');
  let parsed: unknown;
  try {
    const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8');
    parsed = JSON.parse(text);
  } catch (thrown) {
    // V8 quotes the text around the fault; a position is enough, and tells no log what was asked.
    const position = /position \d+/.exec(String(thrown))?.[0];
    throw invalid(position ? `unexpected token at ${position}.` : 'it ends too early.', thrown);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new GatewayError('bad_request', 'The request body must be a JSON object.', {
      param: 'body',
    });
  }
  freezeDeep(parsed, 1);
  return parsed as JsonObject;
}

/** Plugins share one body: frozen, a change of it throws in the plugin that tries. */
function freezeDeep(value: object, depth: number): void {
  if (depth > JSON_DEPTH_MAX) {
    const message = `The request body is nested deeper than ${JSON_DEPTH_MAX} levels.`;
    throw new GatewayError('bad_request', message, { param: 'body' });
  }
  Object.freeze(value);
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof member === 'object' && member !== null) freezeDeep(member, depth + 1);
  }
}

function badField(param: string, message: string): GatewayError {
  return new GatewayError('bad_request', message, { param });
}

/** A request header's value, or null; of several, the first. */
export function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined || first === '' ? null : first;
}

/** The client's `x-request-id` where it is printable ASCII of at most 128 characters, else null. */
export function clientRequestId(request: IncomingMessage): string | null {
  const given = headerOf(request, 'x-request-id');
  return given !== null && /^[\x21-\x7e]{1,128}$/.test(given) ? given : null;
}

/** `x-hive-timeout-ms`, or null where it is absent. */
export function clientTimeout(request: IncomingMessage): number | null {
  const given = headerOf(request, 'x-hive-timeout-ms');
  if (given === null) return null;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new GatewayError('bad_request', 'x-hive-timeout-ms must be a whole number of ms.', {
    param: 'x-hive-timeout-ms',
  });
}

/** Text for a header or a message: printable ASCII only, and not much of it. */
export function printable(text: string): string {
  return text.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
}
