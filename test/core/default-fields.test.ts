import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import { defaultFields, isGenerating } from '../../src/core/default-fields.ts';

const fields = (endpoint: Endpoint, params: object, body: object = {}) =>
  defaultFields({ endpoint, body: body as never }, params as never);

describe('default fields', () => {
  test('default fields are those that the request has not, be they null there', () => {
    const params = { temperature: 0.2, top_p: 0.9, x: 1 };
    expect(fields('chat.completions', params)).toEqual(params);
    expect(fields('chat.completions', params, { temperature: null, x: 2 })).toEqual({ top_p: 0.9 });
  });

  test.each(['max_tokens', 'max_completion_tokens'])(
    'default fields leave a limit alone that the request has by another name, such as %s',
    (given) => {
      const params = { max_tokens: 7, max_completion_tokens: 8 };
      expect(fields('chat.completions', params, { [given]: 5 })).toEqual({});
    },
  );

  test.each<[Endpoint, string]>([
    ['chat.completions', 'max_completion_tokens'],
    ['responses', 'max_output_tokens'],
    ['completions', 'max_tokens'],
    ['messages', 'max_tokens'],
  ])('default fields of %s have the limit as %s', (endpoint, name) => {
    expect(fields(endpoint, { max_completion_tokens: 7 })).toEqual({ [name]: 7 });
  });

  test('default fields keep from an endpoint what only chats know', () => {
    const params = { temperature: 1, stop: ['a'], reasoning_effort: 'low', seed: 1 };
    expect(fields('messages', params)).toEqual({ temperature: 1 });
    expect(fields('messages', { logprobs: true, top_logprobs: 2 })).toEqual({});
    expect(fields('responses', { logprobs: true, top_logprobs: 2 })).toEqual({ top_logprobs: 2 });
    expect(fields('responses', params)).toEqual({ temperature: 1 });
    expect(fields('completions', params)).toEqual({ temperature: 1, stop: ['a'], seed: 1 });
  });

  test('default fields are about answers', () => {
    for (const endpoint of ['embeddings', 'moderations', 'messages.count_tokens'] as const) {
      expect([isGenerating(endpoint), fields(endpoint, { temperature: 1 })]).toEqual([false, {}]);
    }
  });
});
