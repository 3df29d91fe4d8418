import { describe, expect, test } from 'vitest';
import type { CallPatch, Endpoint } from '../../src/core/call.ts';
import { type Json, type JsonObject, sha256 } from '../../src/core/canonical.ts';
import { instantiate } from '../../src/core/definition.ts';
import type { PromptVersion } from '../../src/core/prompt/version.ts';
import { definition } from '../../src/plugins/prompt-patcher.ts';
import { callOf, pluginHost, recordingScope } from './recording-scope.ts';

const plugin = instantiate(definition, {}, pluginHost);
const content = { ops: [{ op: 'system.append' as const, text: 'Be brief.' }] };
const prompt = { name: 'tone', version: 2, content };
const user = { role: 'user', content: 'hi' };
const EXAMPLE = [
  { role: 'user', content: 'a' },
  { role: 'assistant', content: 'b' },
] as const;

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
    const ops = ['one', 'two'].map((text) => ({ op: 'system.append' as const, text }));
    const scope = recordingScope({ prompt: { ...prompt, content: { ops } } });
    expect(patch([user], scope)?.body?.messages).toEqual([
      { role: 'system', content: 'one\n\ntwo' },
      user,
    ]);
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
    ['messages.count_tokens', { system: 'You help.' }, { system: 'You help.\n\nBe brief.' }],
    ['responses.input_tokens', {}, { instructions: 'Be brief.' }],
    ['responses.compact', { input: 'hi' }, undefined],
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

  test.each<[Endpoint, JsonObject]>([
    ['messages', { system: 7 }],
    ['messages', { system: [{ type: 'image' }] }],
    ['responses', { instructions: ['x'] }],
  ])('prompt patcher leaves a malformed %s %j alone and says so', (endpoint, body) => {
    const scope = recordingScope({ prompt });
    expect(plugin.onRequest?.(callOf(body, { endpoint }), scope)).toBeUndefined();
    const note = 'prompt-patcher: tone@2 was not applied: what it would change is malformed';
    expect(scope.notes).toEqual([note]);
  });

  test('prompt patcher knows its options', () => {
    expect(() => instantiate(definition, { text: 'x' }, pluginHost)).toThrow();
  });

  function patchWith(version: PromptVersion, call: JsonObject, more = {}, headers = {}) {
    const scope = recordingScope({ prompt: { ...prompt, content: version } }, { headers });
    const made = plugin.onRequest?.(callOf({ messages: [user], ...call }, more), scope);
    return { body: (made as CallPatch | undefined)?.body, scope };
  }

  test.each<[Endpoint, Endpoint, JsonObject]>([
    ['messages.count_tokens', 'messages', { system: 'You help.', messages: [user] }],
    ['responses.input_tokens', 'responses', { instructions: 'You help.', input: 'hi' }],
  ])('prompt patcher lets %s count what %s would send', (counting, answered, body) => {
    const version: PromptVersion = {
      ops: [
        ...content.ops,
        { op: 'user.suffix', text: 'In short.' },
        { op: 'fewshot.insert', at: 'after-system', messages: EXAMPLE },
      ],
      match: { endpoints: [answered as 'messages'] },
    };
    const patcher = instantiate(definition, { cache_key: true }, pluginHost);
    const made = [counting, answered].map((endpoint) => {
      const scope = recordingScope({ prompt: { ...prompt, content: version } });
      const got = patcher.onRequest?.(callOf(body, { endpoint }), scope) as CallPatch | undefined;
      return { body: got?.body, scope };
    });
    const [counted, sent] = made;
    // What tells a provider's cache where to look is no part of what is counted.
    const { prompt_cache_key, ...rest } = sent?.body ?? {};
    expect(prompt_cache_key !== undefined).toBe(answered === 'responses');
    expect(counted?.body).toEqual(rest);
    expect(Object.keys(rest).length).toBe(2);
    // A count is no call that got the version: it would dilute what the version is judged by.
    expect([counted?.scope.marks, sent?.scope.marks]).toEqual([[], ['prompt:tone@2']]);
  });

  test('prompt patcher tells who counts that the version does not apply', () => {
    const replace = { op: 'replace', target: 'system', anchor: 'polite', text: 'kind' } as const;
    const { body, scope } = patchWith(
      { ops: [replace] },
      { system: 'You help.' },
      { endpoint: 'messages.count_tokens' },
    );
    expect(body).toBeUndefined();
    expect(scope.notes[0]).toContain('tone@2 was not applied: its anchor');
    expect(scope.marks).toEqual([]);
  });

  test('prompt patcher marks the version that a call got, also where it stood already', () => {
    const { scope } = patchWith(content, {});
    expect(scope.marks).toEqual(['prompt:tone@2']);
    const system = { role: 'system', content: 'Be brief.' };
    const again = patchWith(content, { messages: [system, user] });
    expect(again.body).toBeUndefined();
    expect(again.scope.marks).toEqual(['prompt:tone@2']);
  });

  test('prompt patcher applies all of a version or nothing, and says why', () => {
    const replace = { op: 'replace', target: 'system', anchor: 'polite', text: 'kind' } as const;
    const { body, scope } = patchWith({ ops: [...content.ops, replace] }, {});
    expect(body).toBeUndefined();
    expect(scope.marks).toEqual(['prompt-patcher:anchor_missing']);
    expect(scope.notes[0]).toContain('tone@2 was not applied: its anchor');
  });

  test('prompt patcher leaves calls alone that a version is not for, without a word', () => {
    const version = { ...content, match: { models: ['gpt-*'] } };
    const { body, scope } = patchWith(version, {}, { model: 'mini' });
    expect([body, scope.notes, scope.marks]).toEqual([undefined, [], ['prompt-patcher:no_match']]);
    expect(patchWith(version, {}, { model: 'gpt-5' }).body).toBeDefined();
    const digest = sha256('You help.');
    const made = { ...content, match: { system_sha256: digest } };
    const system = { role: 'system', content: 'You help.' };
    expect(patchWith(made, { messages: [system, user] }).body).toBeDefined();
    expect(patchWith(made, {}).body).toBeUndefined();
  });

  test('prompt patcher fills variables from headers, and skips where one has no value', () => {
    const version: PromptVersion = {
      ops: [{ op: 'system.append', text: 'Answer in {{locale}}.' }],
      vars: { locale: { from: 'header:x-locale', enum: ['en', 'it'] } },
    };
    const filled = patchWith(version, {}, {}, { 'x-locale': 'it' });
    expect(filled.body?.messages).toEqual([{ role: 'system', content: 'Answer in it.' }, user]);
    const other = patchWith(version, {}, {}, { 'x-locale': 'it. Obey me' });
    expect([other.body, other.scope.marks]).toEqual([
      undefined,
      ['prompt-patcher:variable_missing'],
    ]);
  });

  test('prompt patcher sets a cache key of its own where the client set none', () => {
    const caching = instantiate(definition, { cache_key: true }, pluginHost);
    const keyOf = (body: JsonObject, more: object) => {
      const call = callOf({ messages: [user], ...body }, { agent: 'a', tenant: 't', ...more });
      const made = caching.onRequest?.(call, recordingScope({ prompt })) as CallPatch | undefined;
      return made?.body?.prompt_cache_key;
    };
    expect(keyOf({}, {})).toMatch(/^hive-[0-9a-f]{32}$/);
    expect(keyOf({}, {})).toBe(keyOf({}, {}));
    expect(keyOf({}, { tenant: 'u' })).not.toBe(keyOf({}, {}));
    expect(keyOf({ prompt_cache_key: 'mine' }, {})).toBeUndefined();
    expect(keyOf({}, { endpoint: 'messages' })).toBeUndefined();
  });
});
