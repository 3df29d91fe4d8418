import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/canonical.ts';
import { fits, matches } from '../../../src/core/prompt/match.ts';

describe('prompt match', () => {
  test.each([
    ['gpt-*', 'gpt-5', true],
    ['gpt-*', 'my-gpt-5', false],
    ['*-mini', 'gpt-mini', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*a', 'a', false],
    ['*', '', true],
    ['gpt.5', 'gpt-5', false],
    ['a*bc*c', 'abc', false],
  ])('prompt match %s of %s is %s', (pattern, model, wanted) => {
    expect(fits(pattern, model)).toBe(wanted);
  });

  test('prompt match agrees with a regular expression', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 6 });
    fc.assert(
      fc.property(text, text, (pattern, model) => {
        const expression = new RegExp(`^${pattern.join('').replaceAll('*', '.*')}$`);
        const wanted = expression.test(model.join(''));
        expect(fits(pattern.join(''), model.join(''))).toBe(wanted);
      }),
      { numRuns: 1000 },
    );
  });

  test('prompt match asks for every condition that is given', () => {
    const call = { model: 'm', endpoint: 'messages' as const, system: () => 'You help.' };
    expect(matches({}, call)).toBe(true);
    expect(matches({ models: ['n', 'm'] }, call)).toBe(true);
    expect(matches({ models: ['n'] }, call)).toBe(false);
    expect(matches({ models: ['m'], endpoints: ['responses'] }, call)).toBe(false);
    const digest = sha256('You help.');
    expect(matches({ system_sha256: digest.toUpperCase() }, call)).toBe(true);
    expect(matches({ system_sha256: sha256('Else.') }, call)).toBe(false);
  });
});
