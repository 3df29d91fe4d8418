import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERROR_MEANINGS } from '../../src/core/errors.ts';
import { failureInside, failureOf, retryAfter } from '../../src/core/upstream-failure.ts';

function answer(status: number, body: string, headers: Record<string, string> = {}) {
  return { status, headers, body: Buffer.from(body) };
}

describe('upstream failure', () => {
  test.each([
    [400, 'bad_request', 400, false, false],
    [401, 'upstream_error', 502, true, true],
    [402, 'upstream_error', 502, true, true],
    [403, 'upstream_error', 502, true, false],
    [404, 'model_not_found', 404, true, false],
    [408, 'upstream_timeout', 504, true, true],
    [409, 'upstream_error', 409, true, false],
    [413, 'body_too_large', 413, false, false],
    [422, 'bad_request', 422, false, false],
    [429, 'rate_limited', 429, true, false],
    [500, 'upstream_error', 502, true, true],
    [502, 'upstream_error', 502, true, true],
    [503, 'overloaded', 503, true, true],
    [504, 'upstream_timeout', 504, true, true],
    [529, 'overloaded', 529, true, true],
    [302, 'upstream_error', 502, true, true],
  ])('upstream failure reads status %i as %s', (status, code, client, retryable, counts) => {
    const failure = failureOf(answer(status, ''));
    expect(failure).toMatchObject({ code, status: client, retryable, counts, body: null });
    expect(failure.message).not.toBe('');
  });

  test.each([
    [400, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'server_error'],
  ])('upstream failure of status %i that names no type is a %s', (status, type) => {
    expect(failureOf(answer(status, '{"error":{"message":"m"}}')).body).toMatchObject({
      error: { type },
    });
  });

  test('upstream failure passes an OpenAI error on with all four keys and its extras', () => {
    const body = JSON.stringify({ error: { message: 'too long', code: 400, inner: { a: 1 } } });
    expect(failureOf(answer(400, body)).body).toEqual({
      error: {
        message: 'too long',
        type: 'invalid_request_error',
        param: null,
        code: '400',
        inner: { a: 1 },
      },
    });
  });

  test.each([
    ['<html>bad gateway</html>', 'text/html; charset=utf-8', /text\/html/],
    ['', 'application/json', /empty body/],
    ['{"error":{"message":"cut o', 'application/json', /application\/json/],
    ['{"detail":"Not Found"}', 'application/json', /^Not Found$/],
    ['{"error":"no quota"}', 'application/json', /^no quota$/],
    ['[]', 'application/json', /status 500/],
  ])('upstream failure says what %j was and passes no body on', (body, type, message) => {
    const failure = failureOf(answer(500, body, { 'content-type': type }));
    expect(failure.message).toMatch(message);
    expect(failure.body).toBeNull();
  });

  test('upstream failure tells nothing of a refused key', () => {
    const body = '{"error":{"message":"Incorrect API key provided: sk-ab*yz","code":"x"}}';
    const failure = failureOf(answer(401, body));
    expect(JSON.stringify(failure)).not.toContain('sk-ab');
    expect(failure.message).toContain("refused the gateway's credentials");
  });

  test.each([
    [{ 'retry-after': '7' }, 7],
    [{ 'retry-after': '0.5' }, 0.5],
    [{ 'retry-after': '7', 'retry-after-ms': '1500' }, 1.5],
    [
      {
        'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT',
        date: 'Wed, 21 Oct 2026 07:28:00 GMT',
      },
      30,
    ],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-3' }, null],
    [{ 'retry-after': '9'.repeat(400) }, null],
    [{ 'retry-after-ms': '9'.repeat(400), 'retry-after': '7' }, 7],
    [{}, null],
  ])('upstream failure reads %j as a wait of %s seconds', (headers, seconds) => {
    expect(retryAfter(headers as Record<string, string>)).toBe(seconds);
  });

  test('upstream failure reads a date against the call’s time where the answer has none', () => {
    const headers = { 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' };
    const came_s = Date.parse('Wed, 21 Oct 2026 07:28:20 GMT') / 1000;
    expect(failureOf({ ...answer(429, '', headers), created_s: came_s }).retry_after_s).toBe(10);
    // A date that is over says no more than that it may be tried.
    expect(retryAfter(headers, came_s + 60)).toBeNull();
    expect(retryAfter({ ...headers, date: headers['retry-after'] }, came_s)).toBe(0);
    expect(retryAfter({ 'retry-after': 'soon' }, came_s)).toBeNull();
  });

  test('upstream failure reads an error inside an answer by its code or type', () => {
    expect(failureInside({ message: 'm', code: 429 })).toMatchObject({ code: 'rate_limited' });
    expect(failureInside({ message: 'm', type: 'invalid_request_error' }).retryable).toBe(false);
    expect(failureInside({ message: 'm' })).toMatchObject({ code: 'upstream_error', status: 502 });
    for (const code of ['insufficient_quota', 'rate_limit_exceeded']) {
      expect(failureInside({ message: 'm', code })).toMatchObject({ class: 'rate_limit' });
    }
    const long = { message: 'm', type: 'invalid_request_error', code: 'context_length_exceeded' };
    expect(failureInside(long)).toMatchObject({ class: 'context_length', counts: false });
    expect(failureInside('went wrong').message).toBe('went wrong');
    expect(failureInside(true).message).toContain('inside its answer');
  });

  test('upstream failure never throws and always has a code of the table, whatever is sent', () => {
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"error":${json}}`),
    );
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 999 }), body, (status, text) => {
        const failure = failureOf(answer(status, text));
        expect(ERROR_MEANINGS).toHaveProperty(failure.code);
        expect(failure.status).toBeGreaterThanOrEqual(400);
        const error = failure.body?.error;
        if (failure.body) expect(error).toMatchObject({ message: expect.any(String) });
      }),
    );
  });
});
