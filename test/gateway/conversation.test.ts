import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/canonical.ts';
import { openingOf, turnDigests } from '../../src/gateway/conversation.ts';

const user = (content: unknown) => ({ role: 'user', content });
const text = (words: string, more = {}) => ({ type: 'text', text: words, ...more });

describe('what a conversation begins with', () => {
  test.each<[Endpoint, object, { system: string; user: string | null }]>([
    [
      'chat.completions',
      { messages: [{ role: 'system', content: 'Be kind.' }, user('hi'), user('ho')] },
      { system: '\nBe kind.', user: 'hi' },
    ],
    [
      'messages',
      { system: 'Be kind.', messages: [user('hi')] },
      { system: 'Be kind.', user: 'hi' },
    ],
    [
      'messages.count_tokens',
      { system: [text('Be'), text('kind.')], messages: [user([text('hi')])] },
      { system: 'Be\nkind.', user: 'hi' },
    ],
    ['responses', { instructions: 'Be kind.', input: 'hi' }, { system: 'Be kind.', user: 'hi' }],
    [
      'responses',
      {
        input: [
          { role: 'developer', content: 'Be kind.' },
          { type: 'message', ...user([{ type: 'input_text', text: 'hi' }]) },
        ],
      },
      { system: '\nBe kind.', user: 'hi' },
    ],
    ['responses', { prompt: { id: 'p' } }, { system: '', user: null }],
    ['embeddings', { input: 'hi' }, { system: '', user: null }],
    ['completions', { prompt: 'hi' }, { system: '', user: null }],
  ])('%s', (endpoint, body, opening) => {
    expect(openingOf(endpoint, body as JsonObject)).toEqual(opening);
  });

  test('it stays the same where a client moves its cache mark or changes the form', () => {
    const marked = { messages: [user([text('hi', { cache_control: { type: 'ephemeral' } })])] };
    const plain = { messages: [user('hi')] };
    expect(openingOf('messages', marked as JsonObject)).toEqual(
      openingOf('messages', plain as JsonObject),
    );
    const image = (more: object) => ({
      messages: [user([{ type: 'image', source: 'x', ...more }])],
    });
    expect(openingOf('messages', image({ cache_control: {} }) as JsonObject)).toEqual(
      openingOf('messages', image({}) as JsonObject),
    );
  });
});

test('turns are digests without cache marks, and none where there is no conversation', () => {
  const marked = user([text('hi', { cache_control: { type: 'ephemeral' } })]);
  const plain = user([text('hi')]);
  expect(turnDigests('messages', { messages: [marked] } as JsonObject)).toEqual(
    turnDigests('messages', { messages: [plain] } as JsonObject),
  );
  expect(turnDigests('responses', { input: 'hi' }).count).toBe(1);
  expect(turnDigests('responses', { input: [plain] } as JsonObject).count).toBe(1);
  expect(turnDigests('embeddings', { input: ['hi', 'ho'] }).count).toBe(0);
  expect(turnDigests('completions', { prompt: 'hi' }).count).toBe(0);
});
