import { describe, expect, test } from 'vitest';
import { ERROR_MEANINGS, GatewayError, messageOf, toGatewayError } from '../../src/core/errors.ts';

describe('GatewayError', () => {
  test('an error takes its status from the table, unless an upstream’s is passed on', () => {
    const error = new GatewayError('upstream_error', 'The upstream failed.');
    expect([error.status, error.type, error.retry]).toEqual([502, 'server_error', true]);
    expect(new GatewayError('upstream_error', 'x', { status: 429 }).status).toBe(429);
  });

  test('what is unforeseen becomes an internal error that tells the client nothing of it', () => {
    const cause = new Error('password=hunter2');
    const error = toGatewayError(cause);
    expect(error.code).toBe('internal');
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBe(cause);
    expect(toGatewayError(error)).toBe(error);
    expect(messageOf('plain')).toBe('plain');
  });

  test('every code has a 4xx or 5xx status', () => {
    for (const meaning of Object.values(ERROR_MEANINGS)) {
      expect(meaning.status).toBeGreaterThanOrEqual(400);
      expect(meaning.status).toBeLessThan(600);
    }
  });
});
