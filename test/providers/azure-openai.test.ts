import { describe, expect, test } from 'vitest';
import {
  answerOf,
  chunksOf,
  dataOf,
  factsOf,
  fixture,
  make,
  requestFor,
  sent,
  textOf,
} from './provider-kit.ts';

const chat = { model: 'agent', messages: [] };

describe('azure-openai', () => {
  test('azure-openai asks a deployment with its key in a header of its own', () => {
    const azure = make('azure-openai', { resource: 'my-res', api_key: 'k' });
    expect(azure.base_url).toBe('https://my-res.openai.azure.com');
    const request = requestFor('chat.completions', chat, { model: 'gpt-4o.eu' });
    const { path, headers, json } = sent(azure, request);
    const deployment = '/openai/deployments/gpt-4o%2Eeu';
    expect(path).toBe(`${deployment}/chat/completions?api-version=2024-10-21`);
    expect(headers).toMatchObject({ 'api-key': 'k' });
    expect(headers).not.toHaveProperty('authorization');
    expect(json.model).toBe('gpt-4o.eu');
    expect(azure.endpoints).not.toContain('responses');
  });

  test('azure-openai lets no deployment’s name leave its path', () => {
    const azure = make('azure-openai', { resource: 'r' });
    const model = '../../x?y#z';
    const { path } = sent(azure, requestFor('embeddings', { input: 'a' }, { model }));
    expect(path).toBe(
      '/openai/deployments/%2E%2E%2F%2E%2E%2Fx%3Fy%23z/embeddings?api-version=2024-10-21',
    );
  });

  test('azure-openai knows the newer surface, which has responses', () => {
    const base_url = 'https://r.openai.azure.us/proxy/';
    const azure = make('azure-openai', { base_url, api_version: 'v1' });
    expect(azure.endpoints).toContain('responses');
    const { path } = sent(azure, requestFor('responses', { input: 'a' }));
    expect(path).toBe('/proxy/openai/v1/responses');
  });

  test.each([
    {},
    { resource: 'a', base_url: 'https://a' },
    { resource: 'evil.com/' },
    { resource: 'UP' },
    { resource: '-a' },
    { resource: 'a', api_version: '2024-10-21&x=1' },
    { resource: 'a', api_version: 'latest' },
  ])('azure-openai refuses the options %j', (options) => {
    expect(() => make('azure-openai', options)).toThrow();
  });

  test('azure-openai’s refusal of content is a clean error that nobody routes around', () => {
    const azure = make('azure-openai', { resource: 'r' });
    const answer = answerOf(fixture('azure-content-filter.json'), { status: 400 });
    expect(azure.decode(answer)).toMatchObject({
      error: {
        class: 'content_filter',
        status: 400,
        retryable: false,
        counts: false,
        body: { error: { code: 'content_filter', param: 'prompt', type: 'invalid_request_error' } },
      },
    });
  });

  test('azure-openai’s first chunk without a choice is no answer yet', () => {
    const azure = make('azure-openai', { resource: 'r' });
    const chunks = chunksOf(azure, fixture('azure-stream.sse'));
    expect(chunks.map(({ content }) => content)).toEqual([false, false, true, false, false]);
    expect(chunks.some(({ usage_only }) => usage_only)).toBe(false);
    const events = chunksOf(azure, fixture('azure-stream.sse'), { endpoint: 'messages' });
    const [start] = dataOf(textOf(events));
    expect(start).toMatchObject({
      type: 'message_start',
      message: { id: 'msg_Az1', model: 'gpt-4o-2024-11-20' },
    });
    expect(factsOf(events)).toMatchObject({ finish: 'stop' });
  });
});
