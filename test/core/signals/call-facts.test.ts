import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Call } from '../../../src/core/call.ts';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { CALL_FACTS, type CallFactName } from '../../../src/core/signals/call-facts.ts';

const asks = (content: string): Call =>
  ({
    endpoint: 'chat.completions',
    body: { messages: [{ role: 'user', content }] },
    raw: Buffer.from('x'.repeat(9)),
  }) as unknown as Call;

test.each([
  ['What is wrong here?\n```js\nlet x = 1;\n```', true],
  ['for (const x of [1, 2]) { sum[x] = f(x); }', true],
  ['I (and my sister) live in Rome; do you?', false],
  ['What is the capital of France?', false],
  ['', false],
])('has_code of %j is %s', (text, expected) => {
  expect(CALL_FACTS.has_code.of(asks(text))).toBe(expected);
});

test('tokens_in is a quarter of the bytes, rounded up', () => {
  expect(CALL_FACTS.tokens_in.of(asks('x'))).toBe(3n);
});

test('every fact is of its type, whatever the body', () => {
  const names = Object.keys(CALL_FACTS) as CallFactName[];
  const types = { int: 'bigint', bool: 'boolean', string: 'string' } as const;
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, odd) => {
      const body = { messages: odd, tools: odd, input: [odd] } as JsonObject;
      const call = { ...asks('x'), body, tenant: 't', agent: 'a', at_ms: 5, stream: true } as Call;
      const { type, of } = CALL_FACTS[name];
      expect(of(call)).toBeTypeOf(types[type]);
    }),
  );
});
