import type { Context } from 'hono';
import type { ZodType, z } from 'zod';
import { GatewayError } from '../core/errors.ts';
import type { AdminEnv } from './admin-env.ts';

export const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Read of a body that is too large; the listener's `requestTimeout` bounds the time. */
const DISCARDED_BYTES_MAX = 16 * BODY_BYTES_MAX;
/** Deeper JSON than any finding or plan has: canonical JSON recurses, and must not overflow. */
export const BODY_DEPTH_MAX = 64;

/**
 * The request's body, parsed and checked. An empty body is an empty object, so that
 * `curl -X POST …/tick` needs no header; a JSON content type is asked for only with a body.
 */
export async function readBody<Body>(c: Context<AdminEnv>, schema: ZodType<Body>): Promise<Body> {
  const text = await readText(c);
  const parsed = schema.safeParse(text === '' ? {} : parseJson(text));
  if (parsed.success) return parsed.data;
  throw badInput(parsed.error.issues);
}

/** The query, checked; a name given twice is refused as unknown to the schema's strings. */
export function readQuery<Query>(c: Context<AdminEnv>, schema: ZodType<Query>): Query {
  const parsed = schema.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  throw badInput(parsed.error.issues);
}

function badInput(issues: readonly z.core.$ZodIssue[]): GatewayError {
  const problems = issues.map((issue) => ({
    path: issue.path.join('.'),
    message: issue.message,
  }));
  const message = problems.map(({ path, message }) => (path ? `${path}: ${message}` : message));
  const first = issues[0];
  const unknown = first?.code === 'unrecognized_keys' ? first.keys[0] : undefined;
  const param = problems[0]?.path || unknown;
  return new GatewayError('bad_request', message.join('; '), { param, problems });
}

async function readText(c: Context<AdminEnv>): Promise<string> {
  const encoding = c.req.header('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError('unsupported_media_type', 'Send the body without content-encoding.', {
      param: 'content-encoding',
    });
  }
  const bytes = await readBytes(c);
  if (bytes.length === 0) return '';
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new GatewayError(
      'unsupported_media_type',
      'A body needs the header content-type: application/json.',
      { param: 'content-type' },
    );
  }
  return decodeUtf8(bytes);
}

/**
 * What is too large is read to its end and thrown away before it is refused: a client that still
 * sends would find its connection reset, and never see why. What is far too large, or says that it
 * will be, ends its connection instead.
 */
async function readBytes(c: Context<AdminEnv>): Promise<Uint8Array> {
  const far = Number(c.req.header('content-length') ?? 0) > DISCARDED_BYTES_MAX;
  if (far) throw tooLarge(c, 'close');
  const body = c.req.raw.body;
  if (body === null) return new Uint8Array();
  let chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > DISCARDED_BYTES_MAX) throw tooLarge(c, 'close');
    if (size > BODY_BYTES_MAX) chunks = [];
    else chunks.push(chunk);
  }
  if (size > BODY_BYTES_MAX) throw tooLarge(c, 'stay');
  return Buffer.concat(chunks);
}

function tooLarge(c: Context<AdminEnv>, connection: 'close' | 'stay'): GatewayError {
  if (connection === 'close') c.header('connection', 'close');
  return new GatewayError(
    'body_too_large',
    `The body is larger than ${BODY_BYTES_MAX / 1024 / 1024} MiB.`,
  );
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw new GatewayError('invalid_json', 'The body is not UTF-8.', {}, thrown);
  }
}

function parseJson(text: string): unknown {
  const value = parsed(text);
  if (depthOf(value) <= BODY_DEPTH_MAX) return value;
  throw new GatewayError('bad_request', `The body is nested deeper than ${BODY_DEPTH_MAX} levels.`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : 'unreadable';
    throw new GatewayError('invalid_json', `The body is not JSON: ${reason}`, {}, thrown);
  }
}

/** Level by level instead of by recursion, and no further than the limit. */
function depthOf(value: unknown): number {
  let level: readonly unknown[] = [value];
  let depth = 0;
  while (level.length > 0 && depth <= BODY_DEPTH_MAX) {
    const inner = level.filter((item) => item !== null && typeof item === 'object');
    if (inner.length === 0) break;
    depth += 1;
    level = inner.flatMap((item) => Object.values(item as object));
  }
  return depth;
}
