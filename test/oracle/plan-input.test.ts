import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { parseMutations } from '../../src/oracle/plan-input.ts';
import { ADAPTER_PATCH } from './kit.ts';

const good = { type: 'LORA_APPLY', agent: 'solo', patch: ADAPTER_PATCH };

function paramOf(input: unknown): unknown {
  try {
    parseMutations(input, ['solo']);
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.code === 'bad_request')
      return thrown.details.param;
    throw thrown;
  }
  return null;
}

describe('parseMutations', () => {
  test('parseMutations takes a person’s mutation, dissatisfied being its usual metric', () => {
    expect(parseMutations([good], ['solo'])).toEqual([{ ...good, primary: 'dissatisfied' }]);
  });

  test.each([
    ['mutations', 'no list'],
    ['mutations[0]', ['x']],
    ['mutations[0].type', [{ ...good, type: 'DROP_TABLES' }]],
    ['mutations[0].agent', [{ ...good, agent: 'gone' }]],
    ['mutations[1].patch', [good, { ...good, patch: [] }]],
    ['mutations[0].patch', [{ ...good, patch: {} }]],
    ['mutations[0].primary', [{ ...good, primary: 'joy' }]],
  ])('parseMutations names %s where it is wrong', (param, input) => {
    expect(paramOf(input)).toBe(param);
  });
});
