import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import { dialectOfRequest, MODEL_ROUTES, pathOfEndpoint } from '../../src/gateway/endpoints.ts';
import { parseBody } from '../../src/gateway/parse.ts';

const route = (path: string) => {
  const found = MODEL_ROUTES.get(path);
  if (!found) throw new Error(`no route ${path}`);
  return found;
};
const parse = (path: string, body: object) =>
  parseBody(Buffer.from(JSON.stringify(body)), route(path));
const user = [{ role: 'user', content: 'hi' }];

test('each endpoint has one path', () => {
  for (const [path, { endpoint }] of MODEL_ROUTES) expect(pathOfEndpoint(endpoint)).toBe(path);
  const endpoints: Endpoint[] = [...MODEL_ROUTES.values()].map(({ endpoint }) => endpoint);
  expect(new Set(endpoints).size).toBe(9);
});

describe('what a body needs', () => {
  test.each<[string, object]>([
    ['/v1/chat/completions', { messages: user }],
    ['/v1/responses', { input: 'hi' }],
    ['/v1/responses', { input: user }],
    ['/v1/responses', { prompt: { id: 'pmpt_1' } }],
    ['/v1/responses', { input: null, previous_response_id: 'resp_1' }],
    ['/v1/responses/input_tokens', {}],
    ['/v1/responses/compact', { input: user }],
    ['/v1/responses/compact', { previous_response_id: 'resp_1' }],
    ['/v1/completions', { prompt: 'hi' }],
    ['/v1/completions', { prompt: null }],
    ['/v1/completions', { prompt: [[1, 2]] }],
    ['/v1/embeddings', { input: ['a', 'b'] }],
    ['/v1/moderations', { input: 'a' }],
    ['/v1/messages', { messages: user, max_tokens: 10 }],
    ['/v1/messages/count_tokens', { messages: user }],
  ])('%s takes %j', (path, body) => {
    expect(parse(path, { model: 'm', ...body })).toMatchObject({ model: 'm', stream: false });
  });

  test.each<[string, object, string]>([
    ['/v1/chat/completions', { input: 'hi' }, 'messages'],
    ['/v1/responses', {}, 'input'],
    ['/v1/responses', { input: null }, 'input'],
    ['/v1/responses', { input: 7 }, 'input'],
    ['/v1/responses', { input: {}, prompt: { id: 'x' } }, 'input'],
    ['/v1/responses/compact', {}, 'input'],
    ['/v1/completions', {}, 'prompt'],
    ['/v1/embeddings', { input: null }, 'input'],
    ['/v1/moderations', {}, 'input'],
    ['/v1/messages', { messages: user }, 'max_tokens'],
    ['/v1/messages', { messages: 'hi', max_tokens: 1 }, 'messages'],
    ['/v1/messages', { messages: [7], max_tokens: 1 }, 'messages'],
    ['/v1/messages/count_tokens', {}, 'messages'],
  ])('%s refuses %j and names the field', (path, body, param) => {
    const parsing = () => parse(path, { model: 'm', ...body });
    expect(parsing).toThrow(expect.objectContaining({ code: 'bad_request', details: { param } }));
  });

  test.each([...MODEL_ROUTES.values()])('$path needs a model, as its protocol says', (one) => {
    const body = { messages: user, input: 'hi', prompt: 'hi', max_tokens: 1 };
    if (one.model_optional) expect(parse(one.path, body).model).toBe('');
    else expect(() => parse(one.path, body)).toThrow('You must name a model');
    expect(() => parse(one.path, { ...body, model: 7 })).toThrow('model must be a string');
  });

  test('stream means something only where an endpoint streams', () => {
    const body = { model: 'm', messages: user, input: 'hi', prompt: 'hi', max_tokens: 1 };
    const streaming = [...MODEL_ROUTES.keys()].filter(
      (path) => parse(path, { ...body, stream: true }).stream,
    );
    expect(streaming).toEqual([
      '/v1/chat/completions',
      '/v1/responses',
      '/v1/completions',
      '/v1/messages',
    ]);
    expect(() => parse('/v1/messages', { ...body, stream: 'yes' })).toThrow('stream must be');
    expect(parse('/v1/embeddings', { ...body, stream: 'yes' }).stream).toBe(false);
  });
});

test.each<[string, string | undefined, string]>([
  ['/v1/messages', undefined, 'anthropic'],
  ['/v1/messages/count_tokens', undefined, 'anthropic'],
  ['/v1/messages/batches', undefined, 'anthropic'],
  ['/v1/messagesx', undefined, 'openai'],
  ['/v1/models', undefined, 'openai'],
  ['/v1/models', '2023-06-01', 'anthropic'],
  ['/v1/models/x', '2023-06-01', 'anthropic'],
  ['/v1/chat/completions', '2023-06-01', 'openai'],
  ['/v1/files', '2023-06-01', 'anthropic'],
  ['/v1/files', undefined, 'openai'],
  ['/v1/responses/resp_1', '2023-06-01', 'openai'],
  ['/feedback', '2023-06-01', 'openai'],
  ['/nowhere', '2023-06-01', 'openai'],
])('%s with version %s is answered in the words of %s', (path, version, dialect) => {
  const headers = version === undefined ? {} : { 'anthropic-version': version };
  expect(dialectOfRequest(path, headers)).toBe(dialect);
});
