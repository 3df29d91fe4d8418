import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  readVariables,
  referencesIn,
  render,
  type VariableSource,
} from '../../../src/core/prompt/variables.ts';

function source(headers: Readonly<Record<string, string>> = {}): VariableSource {
  return { header: (name) => headers[name] ?? null, agent: 'a', model: 'm', at_ms: 0 };
}

describe('prompt variables', () => {
  const locale = { from: 'header:x-locale', enum: ['en', 'it'] };

  test('prompt variables are read from headers and from the call', () => {
    expect(readVariables({ locale }, source({ 'x-locale': 'it' }))).toEqual({ locale: 'it' });
    const call = { agent: { from: 'call:agent' }, model: { from: 'call:model' } };
    expect(readVariables(call, source())).toEqual({ agent: 'a', model: 'm' });
    expect(readVariables({ date: { from: 'call:date' } }, source())).toEqual({
      date: '1970-01-01',
    });
  });

  test('prompt variables fall back to their default, else there is none', () => {
    expect(readVariables({ locale }, source({ 'x-locale': 'fr' }))).toBeNull();
    expect(readVariables({ locale }, source())).toBeNull();
    const calm = { locale: { ...locale, default: 'en' } };
    expect(readVariables(calm, source({ 'x-locale': 'fr' }))).toEqual({ locale: 'en' });
  });

  test('prompt variables without an enum are one word of bounded length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 64 }), (value, max) => {
        const read = readVariables(
          { name: { from: 'header:x-name', max } },
          source({ 'x-name': value }),
        );
        const word = /^[\p{L}\p{N}._@:+-]+$/u.test(value) && Array.from(value).length <= max;
        expect(read).toEqual(word ? { name: value } : null);
      }),
    );
  });

  test('prompt variables are filled in once: what a value holds is not looked at again', () => {
    expect(render('{{a}} {{ b }} {{c}}', { a: '{{b}}', b: '$&' })).toBe('{{b}} $& {{c}}');
    expect(referencesIn('{{a}} {{ b }} {c} {{ D }}')).toEqual(['a', 'b']);
  });
});
