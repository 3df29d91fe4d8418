import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/core/call.ts';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { Conversation } from '../../../src/gateway/conversation/conversation.ts';

const user = (content: unknown) => ({ role: 'user', content });
const system = (content: unknown) => ({ role: 'system', content });
const text = (words: string, more = {}) => ({ type: 'text', text: words, ...more });
const openingOf = (endpoint: Endpoint, body: object) =>
  new Conversation(endpoint, body as JsonObject).opening();

describe('what a conversation begins with', () => {
  const grows: [Endpoint, object, object][] = [
    [
      'chat.completions',
      { messages: [system('Be kind.'), user('hi')] },
      {
        messages: [system('Be kind.'), user('hi'), { role: 'assistant', content: 'ho' }, user('!')],
      },
    ],
    [
      'messages',
      { system: 'Be kind.', messages: [user('hi')] },
      { system: [text('Be kind.')], messages: [user([text('hi')]), user('ho')] },
    ],
    [
      'messages.count_tokens',
      { system: [text('Be'), text('kind.')], messages: [user([text('hi')])] },
      { system: [text('Be'), text('kind.', { cache_control: {} })], messages: [user('hi')] },
    ],
    [
      'responses',
      { instructions: 'Be kind.', input: [{ type: 'message', ...user('hi') }] },
      {
        instructions: 'Be kind.',
        input: [{ type: 'message', ...user([{ type: 'input_text', text: 'hi' }]) }, user('ho')],
      },
    ],
  ];

  test.each(grows)('%s: stays the same while it grows and changes its form', (endpoint, ...two) => {
    const [first, later] = two;
    expect(openingOf(endpoint, first)).not.toBeNull();
    expect(openingOf(endpoint, later)).toBe(openingOf(endpoint, first));
  });

  test.each<[Endpoint, object, object]>([
    ['chat.completions', { messages: [user('hi')] }, { messages: [user('ho')] }],
    ['chat.completions', { messages: [user('hi')] }, { messages: [system('a'), user('hi')] }],
    ['messages', { messages: [user('hi')] }, { system: 'a', messages: [user('hi')] }],
    ['responses', { input: 'hi' }, { instructions: 'a', input: 'hi' }],
  ])('%s: is another with other words', (endpoint, one, other) => {
    expect(openingOf(endpoint, one)).not.toBe(openingOf(endpoint, other));
  });

  test.each<[Endpoint, object]>([
    ['responses', { prompt: { id: 'p' } }],
    ['chat.completions', { messages: [system('Be kind.')] }],
    ['embeddings', { input: 'hi' }],
    ['completions', { prompt: 'hi' }],
  ])('%s: is nothing where no user said anything', (endpoint, body) => {
    expect(openingOf(endpoint, body)).toBeNull();
  });

  test('it stays the same where a client moves its cache mark', () => {
    const marked = { messages: [user([text('hi', { cache_control: { type: 'ephemeral' } })])] };
    const image = (more: object) => ({
      messages: [user([{ type: 'image', source: 'x', ...more }])],
    });
    expect(openingOf('messages', marked)).toBe(openingOf('messages', { messages: [user('hi')] }));
    expect(openingOf('messages', image({ cache_control: {} }))).toBe(
      openingOf('messages', image({})),
    );
  });
});

test('turns are digests without cache marks, and none where there is no conversation', () => {
  const digests = (endpoint: Endpoint, body: object) =>
    new Conversation(endpoint, body as JsonObject).digests;
  const image = (more: object) => user([{ type: 'image', source: 'x', ...more }]);
  const marked = { messages: [image({ cache_control: { type: 'ephemeral' } })] };
  expect(digests('messages', marked)).toEqual(digests('messages', { messages: [image({})] }));
  expect(digests('responses', { input: 'hi' }).count).toBe(1);
  expect(digests('responses', { input: [user('hi')] }).count).toBe(1);
  expect(digests('embeddings', { input: ['hi', 'ho'] }).count).toBe(0);
  expect(digests('completions', { prompt: 'hi' }).count).toBe(0);
});
