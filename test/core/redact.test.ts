import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact } from '../../src/core/redact.ts';

describe('redact', () => {
  test.each([
    ['write to ann.b@mail.example.org now', 'write to [email] now'],
    ['card 4111 1111 1111 1111 please', 'card [card] please'],
    ['IBAN DE89 3704 0044 0532 0130 00.', 'IBAN [iban].'],
    ['call +49 30 1234 5678 today', 'call [phone] today'],
    ['order 12345678 is late', 'order [number] is late'],
    ['ssn 123-45-6789', 'ssn [number]'],
    ['from 192.168.1.20 it works', 'from [address] it works'],
    ['my password: hunter2!', 'my password: [secret]'],
    ['Authorization: Bearer abcdefghijklmnop', 'Authorization: [secret]'],
    ['use sk-proj-abcdef1234567890', 'use [secret]'],
    ['key AKIAIOSFODNN7EXAMPLE here', 'key [secret] here'],
    ['--a1b2c3d4-e5f6g7h8_i9j0k1l2--', '--[secret]--'],
    ['éa1b2c3d4e5f6g7h8i9j0k1l2', 'é[secret]'],
  ])('redact takes out %s', (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  test.each([
    'It costs 1,299.00 EUR on 2026-01-05 at 10:30.',
    'Chapter 12, page 340, version 1.2.3',
    'Use the function readFileSync of node:fs.',
    'The branch one-of-a-very-long-name-that-has-no-digits-at-all.',
    'Eleven-a1 and a-very-short-1 are none, nor is ------------------------.',
  ])('redact leaves %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('redact changes nothing that it has changed, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const once = redact(text);
        return redact(once) === once;
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  test('redact takes long hostile texts in linear time', () => {
    const started = performance.now();
    for (const part of ['1 ', 'a@', '-----BEGIN A ', 'password: ', 'DE89 3704 ', '1-', 'a-']) {
      redact(part.repeat(part.length === 2 ? 64_000 : 8000));
    }
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
