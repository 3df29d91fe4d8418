import { describe, expect, test } from 'vitest';
import { answerOf, chunksOf, factsOf, fixture, make, requestFor, sent } from './provider-kit.ts';

const vllm = make('vllm', { adapters: ['sql', 'legal'], api_key: 'k' });

describe('vllm', () => {
  test('vllm asks for an adapter in place of the model', () => {
    const chat = { model: 'agent', max_completion_tokens: 9, messages: [] };
    const { path, json } = sent(vllm, requestFor('chat.completions', chat, { adapter: 'sql' }));
    expect(path).toBe('/v1/chat/completions');
    expect(json).toEqual({ model: 'sql', messages: [], max_tokens: 9 });
    expect(sent(vllm, requestFor('chat.completions', chat)).json.model).toBe('m');
  });

  test('vllm’s adapter is proven by the model that the answer names', () => {
    const proven = (body: Buffer | string) => {
      const decoded = vllm.decode(answerOf(body, { adapter: 'sql' }));
      return decoded.ok ? decoded.facts.adapter : 'failed';
    };
    expect(proven(fixture('vllm-adapter.json'))).toBe('sql');
    expect(proven('{"model":"base","choices":[]}')).toBeNull();
    const stream = Buffer.from(
      'data: {"model":"legal","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
    );
    for (const endpoint of ['chat.completions', 'messages'] as const) {
      const chunks = chunksOf(vllm, stream, { adapter: 'legal', endpoint });
      expect(factsOf(chunks).adapter).toBe('legal');
    }
  });

  test.each([
    ['vllm-404.json', 404],
    ['vllm-old-404.json', 404],
  ])('vllm’s %s of an adapter leaves the base to answer', (name, status) => {
    expect(vllm.decode(answerOf(fixture(name), { status, adapter: 'sql' }))).toMatchObject({
      ok: false,
      error: { code: 'adapter_unavailable', class: 'unavailable', counts: false, retryable: true },
    });
    expect(vllm.decode(answerOf(fixture(name), { status }))).toMatchObject({
      error: { code: 'model_not_found', class: 'unknown_model' },
    });
  });

  test('vllm’s adapter that could not be loaded is unavailable as well', () => {
    const body = {
      error: { message: 'The lora adapter `sql` was found but could not be loaded.', code: 400 },
    };
    expect(vllm.decode(answerOf(body, { status: 400, adapter: 'sql' }))).toMatchObject({
      error: { code: 'adapter_unavailable' },
    });
  });

  test.each([{ adapters: ['none'] }, { adapters: ['a b'] }, { base_url: 'nowhere' }, { url: 'x' }])(
    'vllm refuses the options %j',
    (options) => {
      expect(() => make('vllm', options)).toThrow();
    },
  );
});
