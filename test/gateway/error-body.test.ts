import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERROR_MEANINGS, type ErrorCode, GatewayError } from '../../src/core/errors.ts';
import { errorBody, errorHeaders } from '../../src/gateway/error-body.ts';

const body = (error: GatewayError, dialect: 'openai' | 'anthropic') =>
  errorBody(error, dialect, 'req_1') as Record<string, Record<string, unknown>>;

describe('an error in Anthropic’s words', () => {
  test.each<[ErrorCode, number | undefined, string]>([
    ['bad_request', undefined, 'invalid_request_error'],
    ['invalid_json', undefined, 'invalid_request_error'],
    ['method_not_allowed', undefined, 'invalid_request_error'],
    ['unauthorized', undefined, 'authentication_error'],
    ['bad_request', 402, 'billing_error'],
    ['forbidden', undefined, 'permission_error'],
    ['model_not_found', undefined, 'not_found_error'],
    ['request_timeout', undefined, 'timeout_error'],
    ['body_too_large', undefined, 'request_too_large'],
    ['rate_limited', undefined, 'rate_limit_error'],
    ['internal', undefined, 'api_error'],
    ['upstream_cut', undefined, 'api_error'],
    ['overloaded', undefined, 'overloaded_error'],
    ['overloaded', 529, 'overloaded_error'],
    ['upstream_timeout', undefined, 'timeout_error'],
  ])('%s with status %s is a %s', (code, status, type) => {
    const error = new GatewayError(code, 'why', status === undefined ? {} : { status });
    expect(errorBody(error, 'anthropic', 'req_1')).toEqual({
      type: 'error',
      error: { type, message: 'why' },
      request_id: 'req_1',
    });
  });

  test('an upstream’s own words are kept where they are Anthropic’s, with our request id', () => {
    const said = { error: { type: 'overloaded_error', message: 'Overloaded', param: null } };
    const error = new GatewayError('overloaded', 'x', { status: 529, body: said });
    expect(body(error, 'anthropic')).toEqual({
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
      request_id: 'req_1',
    });
    // OpenAI calls whatever a client did wrong by one name.
    const type = 'invalid_request_error';
    const unknown = { error: { type, message: 'No such model', code: 'model_not_found' } };
    const missing = new GatewayError('model_not_found', 'x', { status: 404, body: unknown });
    expect(body(missing, 'anthropic').error).toMatchObject({ type: 'not_found_error' });
    const bad = new GatewayError('bad_request', 'x', { status: 400, body: unknown });
    expect(body(bad, 'anthropic').error).toMatchObject({ type });
    const details = { error_code: 'image_dimensions_too_large', paths: ['messages.0'] };
    const detailed = { error: { type: 'invalid_request_error', message: 'Too large', details } };
    const refused = new GatewayError('bad_request', 'x', { status: 400, body: detailed });
    expect(body(refused, 'anthropic').error).toEqual(detailed.error);
    const foreign = { error: { type: 'server_error', message: 'Oops', code: 'x' } };
    const translated = new GatewayError('upstream_error', 'x', { body: foreign });
    expect(body(translated, 'anthropic').error).toEqual({ type: 'api_error', message: 'Oops' });
  });
});

const codes = Object.keys(ERROR_MEANINGS) as ErrorCode[];
const details = fc.record(
  {
    status: fc.integer({ min: 400, max: 599 }),
    param: fc.string(),
    retry_after_s: fc.double({ min: 0, max: 1e6, noNaN: true }),
    body: fc.oneof(fc.jsonValue(), fc.record({ error: fc.jsonValue() })),
  },
  { requiredKeys: [] },
);

test('an error has its dialect’s keys and sendable headers, whatever it is made of', () => {
  fc.assert(
    fc.property(fc.constantFrom(...codes), fc.string(), details, (code, message, more) => {
      const error = new GatewayError(code, message, more as never);
      const anthropic = body(error, 'anthropic');
      expect(Object.keys(anthropic)).toEqual(['type', 'error', 'request_id']);
      expect(typeof anthropic.error?.type).toBe('string');
      expect(typeof anthropic.error?.message).toBe('string');
      expect(body(error, 'openai').error).toHaveProperty('message');
      for (const value of Object.values(errorHeaders(error))) expect(value).toMatch(/^[\w.-]+$/);
    }),
  );
});

test('a 401 says how to authenticate', () => {
  expect(errorHeaders(new GatewayError('unauthorized', 'no'))).toEqual({
    'x-should-retry': 'false',
    'www-authenticate': 'Bearer',
  });
});
