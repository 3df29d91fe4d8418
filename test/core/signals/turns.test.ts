import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/core/call.ts';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { toolFailures } from '../../../src/core/signals/tool-failure.ts';
import { systemOf, turnsOf } from '../../../src/core/signals/turns.ts';

const chat = (...messages: unknown[]) =>
  turnsOf({ endpoint: 'chat.completions', body: { messages } as JsonObject });
const user = (content: unknown) => ({ role: 'user', content });
const assistant = { role: 'assistant', content: 'an answer' };

describe('turnsOf', () => {
  test('turnsOf finds the last message and those before the last answer, newest first', () => {
    const turns = chat(
      user('one'),
      assistant,
      user('two'),
      assistant,
      user('three'),
      assistant,
      user('four'),
    );
    expect(turns).toMatchObject({ user: 'four', earlier: ['three', 'two'], results: [] });
  });

  test('turnsOf reads texts in parts', () => {
    const parts = [{ type: 'text', text: 'a' }, { type: 'image_url' }, { type: 'text', text: 'b' }];
    expect(chat(user(parts)).user).toBe('a\nb');
  });

  test('turnsOf takes only the results since the last answer', () => {
    const old = { role: 'tool', content: 'Error: old' };
    const fresh = { role: 'tool', content: 'Error: new' };
    const turns = chat(user('q'), assistant, old, assistant, fresh);
    expect(turns.results).toEqual([fresh]);
    expect(turns.user).toBeNull();
  });

  test('turnsOf reads results of Anthropic’s dialect and of responses', () => {
    const result = { type: 'tool_result', tool_use_id: 'x', is_error: true, content: 'no' };
    const messages = [user('q'), assistant, user([result])];
    const anthropic = turnsOf({ endpoint: 'messages', body: { messages } as JsonObject });
    expect(anthropic.results).toEqual([result]);
    const output = { type: 'function_call_output', output: 'Error: no' };
    const input = [user('q'), { type: 'function_call', name: 'f' }, output];
    const responses = turnsOf({ endpoint: 'responses', body: { input } as JsonObject });
    expect(responses).toMatchObject({ results: [output], earlier: ['q'] });
    expect(turnsOf({ endpoint: 'responses', body: { input: 'hi' } }).user).toBe('hi');
    expect(turnsOf({ endpoint: 'completions', body: { prompt: 'hi' } }).user).toBe('hi');
  });

  test('turnsOf and systemOf never throw, whatever the body', () => {
    const endpoint = fc.constantFrom<Endpoint>(
      'chat.completions',
      'messages',
      'responses',
      'completions',
    );
    const message = fc.record({
      role: fc.constantFrom('user', 'assistant', 'tool', 'system', 'odd'),
      type: fc.option(fc.constantFrom('function_call', 'function_call_output', 'x')),
      content: fc.jsonValue(),
    });
    const list = fc.oneof(fc.array(fc.oneof(message, fc.jsonValue())), fc.jsonValue());
    fc.assert(
      fc.property(endpoint, list, (name, messages) => {
        const body = {
          messages,
          input: messages,
          system: messages,
          instructions: messages,
          prompt: messages,
        };
        const call = { endpoint: name, body: body as JsonObject };
        expect(turnsOf(call).earlier.length).toBeLessThanOrEqual(2);
        expect(toolFailures(turnsOf(call).results)).toBeGreaterThanOrEqual(0);
        systemOf(call);
      }),
    );
  });
});

test('systemOf finds the system’s text of each dialect', () => {
  const messages = [{ role: 'developer', content: 'Be kind.' }, user('q')];
  expect(systemOf({ endpoint: 'chat.completions', body: { messages } as JsonObject })).toBe(
    'Be kind.',
  );
  expect(systemOf({ endpoint: 'messages', body: { system: [{ text: 'Be kind.' }] } })).toBe(
    'Be kind.',
  );
  expect(systemOf({ endpoint: 'responses', body: { instructions: 'Be kind.' } })).toBe('Be kind.');
  expect(systemOf({ endpoint: 'chat.completions', body: {} })).toBeNull();
});

test.each<JsonObject>([
  { is_error: true, content: 'anything' },
  { role: 'tool', content: 'Error: ENOENT' },
  { role: 'tool', content: 'Traceback (most recent call last):\n…' },
  { role: 'tool', content: '{"error": {"code": 404}}' },
  { role: 'tool', content: ' {"status":"error","message":"x"}' },
  { role: 'tool', content: '{"success": false}' },
  { type: 'function_call_output', output: 'Failed to connect' },
  { type: 'tool_result', content: [{ type: 'text', text: 'fatal: not a repository' }] },
])('toolFailures counts %j', (result) => expect(toolFailures([result])).toBe(1));

test.each<JsonObject>([
  { is_error: false, content: 'Error: this is what I was asked to print' },
  { role: 'tool', content: 'No errors found' },
  { role: 'tool', content: '{"error": null, "data": []}' },
  { role: 'tool', content: '{"errors": [], "ok": true}' },
  { role: 'tool', content: 'The log says: Error: x' },
  { role: 'tool', content: 'Errors of the month: none' },
  { role: 'tool', content: '' },
  { role: 'tool', content: null },
  { role: 'tool', content: `{"error": "${'x'.repeat(5000)}"}` },
])('toolFailures passes over %j', (result) => {
  expect(toolFailures([result])).toBe(0);
});
