import { describe, expect, test } from 'vitest';
import type { SampleTurn } from '../../../src/core/prompt/sample.ts';
import { exchangeIn } from '../../../src/core/signals/exchange.ts';

const turnsOf = (...said: readonly string[]): SampleTurn[] =>
  said.map((one) => {
    const role = { s: 'system', u: 'user', a: 'assistant' } as const;
    return { role: role[one[0] as 's' | 'u' | 'a'], text: one.slice(2) };
  });

describe('exchangeIn', () => {
  test('exchangeIn takes the newest question, its answer and what was said next', () => {
    const turns = turnsOf('s be kind', 'u one', 'a 1', 'u two', 'a 2', 'u and three?');
    expect(exchangeIn(turns)).toEqual({ question: 'two', answer: '2', next: 'and three?' });
  });

  test('exchangeIn joins what was said in several messages', () => {
    const turns = turnsOf('u one', 'a 1', 'a more', 'u no', 'u really no');
    const { answer, next } = exchangeIn(turns) ?? {};
    expect([answer, next]).toEqual(['1\nmore', 'no\nreally no']);
  });

  test.each([
    ['a first message', turnsOf('s be kind', 'u one')],
    ['an answer without a question', turnsOf('a hello', 'u one')],
    ['an answer at the end', turnsOf('u one', 'a 1')],
    ['an empty answer', turnsOf('u one', 'a ', 'u two')],
    ['nothing', []],
  ])('exchangeIn finds none in %s', (_what, turns) => {
    expect(exchangeIn(turns)).toBeNull();
  });
});
