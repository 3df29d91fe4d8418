import { type IncomingMessage, validateHeaderValue } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { addNote, createProgress } from '../../src/gateway/hooks/progress.ts';
import { clientRequestId, relayedHeaders } from '../../src/gateway/parse.ts';
import { type Exchange, hiveHeaders } from '../../src/gateway/respond.ts';

/** As Node gives headers: names in lower case, values of latin1. */
const request = (headers: Record<string, string | undefined>) =>
  ({ headers }) as unknown as IncomingMessage;
const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map(String.fromCharCode) });
const name = fc.oneof(
  fc.constantFrom(
    'anthropic-version',
    'anthropic-beta',
    'openai-beta',
    'authorization',
    'x-api-key',
    'cookie',
    'x-hive-target',
    'connection',
    '__proto__',
  ),
  fc.string(),
);

describe('headers relayed to a provider', () => {
  test('they are those of the list, as sent, or the request is refused', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, latin1)), (pairs) => {
        const headers = Object.fromEntries(pairs) as Record<string, string>;
        let relayed: Readonly<Record<string, string>>;
        try {
          relayed = relayedHeaders(request(headers));
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          return;
        }
        for (const [key, value] of Object.entries(relayed)) {
          expect(['anthropic-version', 'anthropic-beta', 'openai-beta']).toContain(key);
          expect(value).toBe(headers[key]);
          validateHeaderValue(key, value);
        }
      }),
    );
  });

  test('nothing is relayed where nothing was sent, and what is too long is refused by name', () => {
    expect(relayedHeaders(request({ authorization: 'Bearer x', 'x-user-id': 'u' }))).toEqual({});
    expect(relayedHeaders(request({ 'anthropic-beta': 'a, b', 'openai-beta': 'c' }))).toEqual({
      'anthropic-beta': 'a, b',
      'openai-beta': 'c',
    });
    const long = request({ 'anthropic-beta': 'x'.repeat(1025) });
    expect(() => relayedHeaders(long)).toThrow(
      expect.objectContaining({ code: 'bad_request', details: { param: 'anthropic-beta' } }),
    );
  });
});

const exchangeOf = (more: Partial<Exchange>): Exchange =>
  ({
    request_id: 'req_1',
    call_id: 'call_1',
    dialect: 'openai',
    progress: createProgress(0),
    clock: { monotonic_ms: () => 1 },
    version: 'v1',
    assignment: null,
    feedback: null,
    upstream: {},
    ...more,
  }) as Exchange;

/** By name: each is told once. */
function headersOf(more: Parameters<typeof exchangeOf>[0]): Record<string, string> {
  const flat = hiveHeaders(exchangeOf(more));
  const pairs = flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : []));
  const headers = Object.fromEntries(pairs) as Record<string, string>;
  expect(Object.keys(headers)).toHaveLength(flat.length / 2);
  return headers;
}

describe('headers of our own', () => {
  test('they can be sent, whatever plugins, clients and providers say', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), latin1);
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), text, text, (notes, adapter, rejected) => {
        const progress = createProgress(0);
        for (const [subject, reason] of notes) addNote(progress, subject, reason);
        progress.adapter.requested = adapter;
        const feedback = { settled: () => ({ rejected }), done: Promise.resolve() };
        for (const [key, value] of Object.entries(headersOf({ progress, feedback }))) {
          validateHeaderValue(key, value as string);
          expect(String(value).length).toBeLessThan(2048);
        }
      }),
    );
  });

  test('of the upstream’s headers only its limits are passed on', () => {
    const upstream = {
      'x-ratelimit-remaining-tokens': '12',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:00Z',
      'x-request-id': 'theirs',
      'request-id': 'theirs',
      'x-ratelimit-reset-tokens': '6m\u2008s',
      'set-cookie': ['a=b'],
      'openai-organization': 'org',
    };
    const headers = headersOf({ upstream, dialect: 'anthropic' });
    expect(headers).toMatchObject({
      'x-ratelimit-remaining-tokens': '12',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:00Z',
      'x-request-id': 'req_1',
      'request-id': 'req_1',
    });
    expect(headers).not.toHaveProperty('x-ratelimit-reset-tokens');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('openai-organization');
    expect(headersOf({ upstream })).not.toHaveProperty('request-id');
  });
});

test('a client’s request id is kept exactly where it can be sent back', () => {
  fc.assert(
    fc.property(fc.oneof(latin1, fc.string()), (given) => {
      const kept = clientRequestId(request({ 'x-request-id': given }));
      expect(kept).toBe(/^[\x21-\x7e]{1,128}$/.test(given) ? given : null);
    }),
  );
});
