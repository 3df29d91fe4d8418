import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import {
  FEEDBACK_HEADER_BYTES_MAX,
  parseFeedbackHeader,
} from '../../../src/gateway/feedback/header.ts';

function reasonOf(value: string): string {
  try {
    parseFeedbackHeader(value);
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${value}`);
}

describe('parseFeedbackHeader', () => {
  test('parseFeedbackHeader reads rating, helpful and call', () => {
    expect(parseFeedbackHeader('rating=4.5, helpful=?1, call="call_x"')).toEqual({
      call: 'call_x',
      spoken: [
        { signal: 'rating', value: 4.5, text: null },
        { signal: 'helpful', value: 1, text: null },
      ],
    });
  });

  test('parseFeedbackHeader reads a complaint as a flag or as its words', () => {
    expect(parseFeedbackHeader('complaint').spoken).toEqual([
      { signal: 'complaint', value: 1, text: null },
    ]);
    expect(parseFeedbackHeader('complaint="rude"').spoken).toEqual([
      { signal: 'complaint', value: 1, text: 'rude' },
    ]);
  });

  test('parseFeedbackHeader gives a comment to the first signal without words', () => {
    const { spoken } = parseFeedbackHeader('comment="no", correction="Bonn", rating=1');
    expect(spoken).toEqual([
      { signal: 'rating', value: 1, text: 'no' },
      { signal: 'correction', value: 1, text: 'Bonn' },
    ]);
  });

  test('parseFeedbackHeader takes a copy for acceptance, as a body does', () => {
    expect(parseFeedbackHeader('copied').spoken).toEqual([
      { signal: 'accepted', value: 1, text: null },
    ]);
  });

  test('parseFeedbackHeader reads text beyond ASCII from a display string', () => {
    expect(parseFeedbackHeader('correction=%"K%c3%b6ln"').spoken[0]?.text).toBe('Köln');
  });

  test.each([
    ['rating=7', 'rating must be between 1 and 5, got 7'],
    ['rating="5"', 'rating must be between 1 and 5, got "5"'],
    ['helpful=1', 'helpful must be true or false, got 1'],
    ['stars=5', 'unknown key stars'],
    ['rating=(1 2)', 'rating must be one value, not a list'],
    ['rating=5,', 'not an RFC 8941 dictionary'],
    ['rating=3, call="a b"', 'call must be'],
    ['comment="well"', 'no rating, helpful, complaint, correction, accepted or copied'],
    ['', 'no rating, helpful, complaint, correction, accepted or copied'],
    [`comment="${'x'.repeat(FEEDBACK_HEADER_BYTES_MAX)}"`, 'longer than 4096 bytes'],
  ])('parseFeedbackHeader rejects %s', (value, reason) => {
    expect(reasonOf(value)).toContain(reason);
  });

  test('parseFeedbackHeader answers every string with feedback or a GatewayError', () => {
    const near = fc.stringMatching(/^[a-z]{1,8}=[?"%()0-9.a-z, =]{0,20}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (value) => {
        try {
          for (const { signal, value: rated } of parseFeedbackHeader(value).spoken) {
            const [least, most] = signal === 'rating' ? [1, 5] : [0, 1];
            expect(rated).toBeGreaterThanOrEqual(least);
            expect(rated).toBeLessThanOrEqual(most);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
    );
  });
});
