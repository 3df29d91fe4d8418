import type { Chance } from './chance.ts';
import { anyValue, mutateBytes, mutateJson, writeJson } from './mutate.ts';

/** One hostile or clumsy request, as the bytes that go over the wire. */
export interface FuzzedRequest {
  readonly bytes: Buffer;
  readonly method: string;
  readonly path: string;
  /** Whether HTTP owes it an answer: not to what is cut off, or asks for another protocol. */
  readonly owed: boolean;
}

const TOOL = { name: 'f', description: 'd', parameters: { type: 'object', properties: {} } };
const PNG = 'data:image/png;base64,iVBORw0KGgo=';

/** A good body of each route: what mutation begins with. */
export const GOOD: Readonly<Record<string, object>> = {
  '/v1/chat/completions': {
    model: 'default',
    messages: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: [{ type: 'text', text: 'hi' }, image(PNG)] },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: '7' },
    ],
    tools: [{ type: 'function', function: TOOL }],
    tool_choice: 'auto',
    response_format: { type: 'json_object' },
    stream_options: { include_usage: true },
    metadata: { user_id: 'u', session_id: 's' },
    stop: ['x'],
    max_tokens: 10,
    user: 'u',
  },
  '/v1/messages': {
    model: 'default',
    max_tokens: 10,
    system: [{ type: 'text', text: 'be brief', cache_control: { type: 'ephemeral' } }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 't', signature: 's' },
          { type: 'tool_use', id: 't1', name: 'f', input: {} },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: '7' }] },
    ],
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
    tool_choice: { type: 'auto' },
    thinking: { type: 'enabled', budget_tokens: 1024 },
    metadata: { user_id: 'u' },
  },
  '/v1/messages/count_tokens': { model: 'default', messages: [{ role: 'user', content: 'hi' }] },
  '/v1/responses': { model: 'default', input: [{ role: 'user', content: 'hi' }], tools: [] },
  '/v1/responses/input_tokens': { model: 'default', input: 'hi' },
  '/v1/responses/compact': { model: 'default', input: [{ role: 'user', content: 'hi' }] },
  '/v1/responses/resp_1/cancel': {},
  '/v1/embeddings': { model: 'default', input: ['a', 'b'], encoding_format: 'float' },
  '/v1/completions': { model: 'default', prompt: 'hi', max_tokens: 5 },
  '/v1/moderations': { model: 'default', input: 'hi' },
  '/feedback': { call_id: 'call_x', rating: 4, comment: 'good' },
  '/api/v1/feedback/collect': {
    agent_id: 'default',
    session_id: 's',
    explicit: { rating: 4.5, helpful: true },
    implicit: { response_time_ms: 250, success_rate: 0.95 },
  },
};
const ROUTES = Object.keys(GOOD);
const READ = [
  '/health',
  '/ready',
  '/v1/models',
  '/v1/models/default',
  '/v1/responses/resp_1',
  '/v1/responses/resp_1?stream=true',
  '/v1/responses/resp_1/input_items',
  '/',
  '/metrics',
  '/feedback',
];
const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'QUERY'];

function image(url: string): object {
  return { type: 'image_url', image_url: { url } };
}

export function fuzzRequest(chance: Chance): FuzzedRequest {
  const route = chance.maybe(0.5) ? '/v1/chat/completions' : chance.pick(ROUTES);
  const reading = chance.maybe(0.1);
  const method = reading ? 'GET' : chance.maybe(0.93) ? 'POST' : chance.pick(METHODS);
  const path = pathFor(chance, reading ? chance.pick(READ) : route);
  const body = reading ? Buffer.alloc(0) : bodyFor(chance, route);
  const headers = headersFor(chance);
  return assemble(chance, { method, path, headers, body });
}

function pathFor(chance: Chance, path: string): string {
  if (chance.maybe(0.85)) return path;
  const odd = [
    () => `${path}?${encodeURIComponent(chance.text(10).toWellFormed())}`,
    () => `/${chance.text(12)}`.replaceAll(/[\s\0]/g, ''),
    () => path.replace('/v1', '//v1'),
    () => path.replace('/v1/', '/v1/../v1/'),
    () => path.replace('/v1', '/%76%31'),
    () => `${path}/`,
    () => `${path}%2f..`,
    () => path.toUpperCase(),
    () => `http://evil.example${path}`,
    () => `/v1/models/${encodeURIComponent(chance.text(8).toWellFormed())}`,
    () => `/v1/models/%ff%e0%80`,
    () => `/${'a'.repeat(chance.int(9000))}`,
    () => `${path}#x`,
    () => '*',
  ];
  return chance.pick(odd)();
}

function bodyFor(chance: Chance, route: string): Buffer {
  const good = { ...GOOD[route], ...(chance.maybe(0.4) ? { stream: true } : {}) };
  const roll = chance.next();
  if (roll < 0.15) return Buffer.from(JSON.stringify(good));
  if (roll < 0.25) return Buffer.from(writeJson(chance, anyValue(chance)));
  const text = writeJson(chance, mutateJson(chance, good, 1 + chance.int(4)));
  const bytes = Buffer.from(text);
  return roll < 0.8 ? bytes : mutateBytes(chance, bytes);
}

type Header = readonly [string, string];

/** Headers that the gateway reads, with good values and bad ones. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'x-agent-id': ['default', 'none', 'a\u00e9'],
  'x-user-id': ['u1', '\u00ff'],
  'x-session-id': ['s1', ''],
  'x-hive-target': ['main', 'none', 'claude', '__proto__'],
  'x-hive-unit': ['user', '7'],
  'x-hive-timeout-ms': ['5000', '0', '-1', 'abc', '1e3', '99999999999999999999'],
  'x-hive-store': ['no', 'yes'],
  'x-hive-cache': ['off'],
  'x-feedback': [
    'rating=4.5',
    'rating=9',
    'helpful=?1',
    'call="x"',
    'a=((',
    '?',
    'rating=1e9',
    '"',
  ],
  'x-request-id': ['r1', 'with space', 'x'.repeat(300), '\u00e9'],
  'x-stainless-retry-count': ['0', '1', '-1', 'abc', '1e9'],
  'content-type': ['application/json', 'text/plain', 'multipart/form-data; boundary=x', ';'],
  'content-encoding': ['identity', 'gzip', 'br, gzip'],
  'accept-encoding': ['gzip', '*;q=0'],
  authorization: ['Bearer x', 'Basic eDp5', 'Bearer', '\u00ff', 'Bearer a, Bearer b'],
  'x-api-key': ['k', ''],
  'anthropic-version': ['2023-06-01', '2026-10-21', 'x'],
  'anthropic-beta': ['a,b', ''],
  'idempotency-key': ['i1', 'x'.repeat(500)],
  expect: ['100-continue', 'something'],
  connection: ['keep-alive', 'x-hop', 'upgrade'],
  cookie: ['a=b'],
  te: ['trailers'],
  origin: ['http://evil.example', 'null'],
  'x-forwarded-for': ['1.2.3.4'],
};

function headersFor(chance: Chance): Header[] {
  const names = Object.keys(KNOWN);
  const headers = Array.from({ length: chance.int(6) }, (): Header => {
    const name = chance.pick(names);
    return [name, chance.pick(KNOWN[name] ?? [''])];
  });
  if (chance.maybe(0.1)) headers.push([`x-${chance.int(9)}`, chance.text(20)]);
  if (chance.maybe(0.02)) headers.push([chance.text(6), 'x']);
  if (chance.maybe(0.01)) headers.push(['x-long', 'x'.repeat(20_000)]);
  return headers;
}

const HOSTS = [
  '127.0.0.1',
  'localhost:8091',
  'evil.example',
  '',
  'a b',
  '[::1]:1',
  'localhost/../x',
];

interface Parts {
  readonly method: string;
  readonly path: string;
  readonly headers: Header[];
  readonly body: Buffer;
}

function assemble(chance: Chance, { method, path, headers, body }: Parts): FuzzedRequest {
  const host = chance.maybe(0.95) ? 'localhost' : chance.pick(HOSTS);
  const lines = [
    `${method} ${path} HTTP/${chance.maybe(0.98) ? '1.1' : chance.pick(['1.0', '2', '9'])}`,
  ];
  lines.push(`host: ${host}`);
  const asksClose = chance.maybe(0.98);
  if (asksClose) lines.push('connection: close');
  let sent = body;
  let owed = asksClose;
  const framing = chance.next();
  if (body.length > 0 && framing < 0.1) {
    lines.push('transfer-encoding: chunked');
    sent = chunked(chance, body);
  } else if (body.length > 0 && framing < 0.13) {
    lines.push(`content-length: ${body.length + 1 + chance.int(50)}`);
    owed = false;
  } else if (body.length > 0 && framing < 0.14) {
    lines.push(`content-length: ${chance.pick(['-1', 'abc', '1, 2', '99999999999999'])}`);
    owed = false;
  } else if (body.length > 0) {
    lines.push(`content-length: ${body.length}`);
  }
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), sent]);
  const other = headers.some(([, value]) =>
    /upgrade|keep-alive|100-continue|something/i.test(value),
  );
  // Headers of a fuzzed name may hold anything, another framing included.
  const clean = headers.every(([name]) => /^[\w-]+$/.test(name));
  if (chance.maybe(0.97)) return { bytes, method, path, owed: owed && !other && clean };
  return { bytes: mutateBytes(chance, bytes), method, path, owed: false };
}

function chunked(chance: Chance, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const size = 1 + chance.int(body.length);
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
    at += size;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}
