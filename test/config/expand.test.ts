import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expand, secretVariable } from '../../src/config/expand.ts';
import { ref } from './world.ts';

const never = () => false;

describe('expand', () => {
  test('expands every reference of a string, at any depth, and leaves all else', () => {
    const data = { a: [`${ref('X')}-${ref('Y:-why')}`, 1, null, true], b: { c: '$X {X}' } };
    const { data: expanded, expansions, unset } = expand(data, { X: 'ex' }, never);
    expect(expanded).toEqual({ a: ['ex-why', 1, null, true], b: { c: '$X {X}' } });
    expect(expansions).toEqual([{ path: ['a', 0], text: `${ref('X')}-${ref('Y:-why')}` }]);
    expect(unset).toEqual([]);
  });

  test('reports what is unset and has no default, also names of an object’s prototype', () => {
    const { unset } = expand({ a: ref('NOPE'), b: ref('toString') }, {}, never);
    expect(unset).toEqual([
      { path: ['a'], variable: 'NOPE' },
      { path: ['b'], variable: 'toString' },
    ]);
  });

  test('does not expand what a variable holds', () => {
    const { data } = expand(ref('X'), { X: ref('Y'), Y: 'no' }, never);
    expect(data).toBe(ref('Y'));
  });

  test('drops and reports keys that would reach a prototype', () => {
    const data: unknown = JSON.parse('{"a":{"__proto__":{"evil":1},"b":2}}');
    const expanded = expand(data, {}, never);
    expect(expanded.forbidden).toEqual([['a', '__proto__']]);
    expect(expanded.data).toEqual({ a: { b: 2 } });
  });

  test('changes no data without references', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        fc.pre(!JSON.stringify(value).includes('$'));
        expect(expand(value, {}, never).data).toEqual(value);
      }),
    );
  });
});

describe('secretVariable', () => {
  test('takes a plain reference only', () => {
    expect(secretVariable(ref('KEY'))).toBe('KEY');
    for (const other of [`x${ref('KEY')}`, ref('KEY:-d'), 'KEY', '', null, 4]) {
      expect(secretVariable(other)).toBeNull();
    }
  });
});
