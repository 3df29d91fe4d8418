import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallPatch, Endpoint } from '../../src/core/call.ts';
import type { Json, JsonObject } from '../../src/core/canonical.ts';
import { instantiate } from '../../src/core/definition.ts';
import { definition, patchedMessages } from '../../src/plugins/prompt-patcher.ts';
import { callOf, pluginHost, recordingScope } from './recording-scope.ts';

const plugin = instantiate(definition, {}, pluginHost);
const content = { ops: [{ op: 'system.append' as const, text: 'Be brief.' }] };
const prompt = { name: 'tone', version: 2, content };
const user = { role: 'user', content: 'hi' };

function patch(messages: Json, scope = recordingScope({ prompt })) {
  return plugin.onRequest?.(callOf({ messages }), scope) as CallPatch | undefined;
}

describe('prompt patcher', () => {
  test('prompt patcher appends to the first system message behind a blank line', () => {
    const later = { role: 'system', content: 'later' };
    expect(patch([user, { role: 'system', content: 'You help.' }, later])).toEqual({
      body: { messages: [user, { role: 'system', content: 'You help.\n\nBe brief.' }, later] },
    });
  });

  test('prompt patcher takes a developer message for a system message', () => {
    expect(patch([{ role: 'developer', content: 'You help.' }, user])?.body?.messages).toEqual([
      { role: 'developer', content: 'You help.\n\nBe brief.' },
      user,
    ]);
  });

  test('prompt patcher puts a system message first where there is none', () => {
    expect(patch([user])).toEqual({
      body: { messages: [{ role: 'system', content: 'Be brief.' }, user] },
    });
  });

  test('prompt patcher adds a part of its own and leaves the marks of others alone', () => {
    const part = { type: 'text', text: 'You help.', cache_control: { type: 'ephemeral' } };
    expect(patch([{ role: 'system', content: [part] }, user])?.body?.messages).toEqual([
      { role: 'system', content: [part, { type: 'text', text: '\n\nBe brief.' }] },
      user,
    ]);
  });

  test('prompt patcher joins several operations in order', () => {
    const ops = ['one', '', 'two'].map((text) => ({ op: 'system.append' as const, text }));
    expect(patchedMessages([user], { ops })?.[0]).toEqual({
      role: 'system',
      content: 'one\n\ntwo',
    });
    expect(patchedMessages([user], { ops: [] })).toEqual([user]);
  });

  test('prompt patcher does nothing without a prompt, or where its text stands already', () => {
    expect(patch([user], recordingScope({}))).toBeUndefined();
    expect(patch([{ role: 'system', content: 'You help.\n\nBe brief.' }])).toBeUndefined();
  });

  test.each<[string, Json]>([
    ['no list', 'hello'],
    ['an empty list', []],
    ['a message that is no object', ['hello']],
    ['a message without a role', [{ content: 'x' }]],
    ['a system message without content', [{ role: 'system' }]],
    ['a system message with an image', [{ role: 'system', content: [{ type: 'image_url' }] }]],
  ])('prompt patcher leaves %s to the upstream and says so', (_what, messages) => {
    const scope = recordingScope({ prompt });
    expect(patch(messages, scope)).toBeUndefined();
    expect(scope.notes[0]).toContain('tone@2 was not applied');
    expect(scope.marks).toEqual(['prompt-patcher:malformed']);
  });

  test.each<[Endpoint, JsonObject, JsonObject | undefined]>([
    ['messages', {}, { system: 'Be brief.' }],
    ['messages', { system: null }, { system: 'Be brief.' }],
    ['messages', { system: 'You help.' }, { system: 'You help.\n\nBe brief.' }],
    ['messages', { system: 'You help.\n\nBe brief.' }, undefined],
    ['responses', {}, { instructions: 'Be brief.' }],
    ['responses', { instructions: 'You help.' }, { instructions: 'You help.\n\nBe brief.' }],
    ['embeddings', { input: 'hi' }, undefined],
    ['messages.count_tokens', { system: 'You help.' }, undefined],
  ])('prompt patcher makes of %s with %j %j', (endpoint, body, patched) => {
    const scope = recordingScope({ prompt });
    const made = plugin.onRequest?.(callOf(body, { endpoint }), scope) as CallPatch | undefined;
    expect(made?.body).toEqual(patched);
    expect(scope.notes).toEqual([]);
  });

  test('prompt patcher adds a block at the end, behind what Anthropic caches', () => {
    const cached = { type: 'text', text: 'You help.', cache_control: { type: 'ephemeral' } };
    const call = callOf({ system: [cached] }, { endpoint: 'messages' });
    expect(plugin.onRequest?.(call, recordingScope({ prompt }))).toEqual({
      body: { system: [cached, { type: 'text', text: '\n\nBe brief.' }] },
    });
  });

  test.each<[Endpoint, JsonObject, string]>([
    ['messages', { system: 7 }, 'system'],
    ['messages', { system: [{ type: 'image' }] }, 'system'],
    ['responses', { instructions: ['x'] }, 'instructions'],
  ])('prompt patcher leaves a malformed %s %j alone and says so', (endpoint, body, field) => {
    const scope = recordingScope({ prompt });
    expect(plugin.onRequest?.(callOf(body, { endpoint }), scope)).toBeUndefined();
    const note = `prompt-patcher: tone@2 was not applied: ${field} is malformed`;
    expect(scope.notes).toEqual([note]);
  });

  test('prompt patcher takes no options', () => {
    expect(() => instantiate(definition, { text: 'x' }, pluginHost)).toThrow();
  });

  const part = fc.record({ type: fc.constant('text'), text: fc.string() });
  const message = fc.oneof(
    fc.record({
      role: fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool'),
      content: fc.oneof(fc.string(), fc.array(part, { maxLength: 3 })),
    }),
    fc.record({
      role: fc.constant('assistant'),
      content: fc.constant(null),
      tool_calls: fc.array(fc.record({ id: fc.string() }), { maxLength: 2 }),
    }),
    fc.record({ role: fc.constant('tool'), tool_call_id: fc.string(), content: fc.string() }),
  );
  const text = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('\n\n', ' ', 'a\n\na'));

  test('prompt patcher applied twice is once, and all but one message is the same', () => {
    fc.assert(
      fc.property(
        fc.array(message as fc.Arbitrary<Json>, { minLength: 1, maxLength: 5 }),
        fc.array(text, { minLength: 1, maxLength: 3 }),
        (messages, texts) => {
          const version = {
            ops: texts.map((each) => ({ op: 'system.append' as const, text: each })),
          };
          const before = JSON.stringify(messages);
          const once = patchedMessages(messages, version);
          expect(JSON.stringify(messages)).toBe(before);
          expect(once).not.toBeNull();
          const twice = patchedMessages(once ?? [], version);
          expect(twice).toBe(once);
          const kept = messages.filter((each) => once?.includes(each));
          expect(kept.length).toBeGreaterThanOrEqual(messages.length - 1);
          expect(JSON.stringify(once)).toContain(JSON.stringify(texts.join('\n\n')).slice(1, -1));
        },
      ),
      { numRuns: 300 },
    );
  });
});
