import { describe, expect, test } from 'vitest';
import type { Answer, AnswerContent } from '../../../src/core/answer/answer.ts';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { CHECKS, type CheckOptions, failedCheck } from '../../../src/core/routing/answer-checks.ts';
import { callOf } from '../../plugins/recording-scope.ts';

const ALL: CheckOptions = { checks: CHECKS, chars_min: 0 };
const GOOD = 'You can change your password on the page of your account.';

function check(
  said: Partial<AnswerContent> & { readonly finish?: string },
  body: JsonObject = {},
  options: Partial<CheckOptions> = {},
): string | null {
  const { finish = 'stop', ...given } = said;
  const content = { text: GOOD, refused: false, tools: [], logprob: null, ...given };
  const answer: Answer = { target: 'a', finish, tokens: null, content: () => content };
  const ask = { role: 'user', content: 'How do I change the password of my account, please?' };
  return failedCheck(callOf({ messages: [ask], ...body }), answer, { ...ALL, ...options });
}

const object = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
const formatted = { response_format: { type: 'json_schema', json_schema: { schema: object } } };
const tools = [{ type: 'function', function: { name: 'look', parameters: object } }];
const called = (written: string, name = 'look') => ({
  text: '',
  tools: [{ name, arguments: written }],
});

describe('checks of an answer', () => {
  test('checks let a plain good answer pass', () => {
    expect(check({})).toBeNull();
    expect(check({ text: '{"a":1}' }, formatted)).toBeNull();
    expect(check(called('{"a":1}'), { tools })).toBeNull();
  });

  test.each([
    ['refusal', check({ text: 'I’m sorry, but I can’t help with that.' })],
    ['refusal', check({ refused: true, finish: 'content_filter' })],
    ['empty', check({ text: ' \n' })],
    ['truncated', check({ finish: 'length' })],
    ['format', check({ text: 'Sure! {"a":1}' }, formatted)],
    ['format', check({ text: '{"b":1}' }, formatted)],
    ['format', check({ text: '[1]' }, { response_format: { type: 'json_object' } })],
    ['tools', check(called('{"a":'), { tools })],
    ['tools', check(called('{"a":"x"}'), { tools })],
    ['tools', check(called(''), { tools })],
    ['tools', check(called('{"a":"x"}'), { tools: [{ name: 'look', input_schema: object }] })],
    ['language', check({ text: 'Sie können das Passwort auf der Seite Ihres Kontos ändern.' })],
    ['chars_min', check({ text: 'Yes.' }, {}, { chars_min: 20 })],
    ['logprob_min', check({ logprob: -2.5 }, {}, { logprob_min: -2 })],
  ])('checks find %s', (name, found) => {
    expect(found).toBe(name);
  });

  test('checks that were not declared are not made', () => {
    const none = { checks: [] };
    expect(check({ text: '' }, {}, none)).toBeNull();
    expect(check({ finish: 'length' }, {}, none)).toBeNull();
    expect(check({ text: 'no' }, formatted, none)).toBeNull();
  });

  test('checks take what cannot be checked for well', () => {
    expect(check({ logprob: null }, {}, { logprob_min: -1 })).toBeNull();
    expect(check(called('{}', 'unknown'), { tools })).toBeNull();
    expect(check(called(''))).toBeNull();
    expect(check(called('{"a":1}'), formatted, { chars_min: 100 })).toBeNull();
  });

  test('checks ask nobody around a provider’s filter', () => {
    expect(check({ text: '', finish: 'content_filter' })).toBeNull();
  });

  test('checks leave an answer alone whose language the operator asked for', () => {
    const text = 'Sie können das Passwort auf der Seite Ihres Kontos ändern.';
    const system = { role: 'system', content: 'Always answer in German.' };
    const ask = { role: 'user', content: 'How do I change the password of my account, please?' };
    expect(check({ text }, { messages: [system, ask] })).toBeNull();
  });
});
