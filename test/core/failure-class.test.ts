import { describe, expect, test } from 'vitest';
import { classOf } from '../../src/core/failure-class.ts';
import { failureInside, failureOf } from '../../src/core/upstream-failure.ts';
import { failed } from '../../src/gateway/upstream/failures.ts';

describe('failure class', () => {
  test.each([
    [400, {}, 'request'],
    [404, {}, 'unknown_model'],
    [404, { code: 'model_not_found' }, 'unknown_model'],
    [404, { code: 'DeploymentNotFound' }, 'unknown_model'],
    [404, { type: 'not_found_error' }, 'unknown_model'],
    [404, { type: 'NotFoundError', param: 'model', code: 404 }, 'unknown_model'],
    [400, { type: 'invalid_model', code: '1500' }, 'unknown_model'],
    [400, { code: 'model_decommissioned' }, 'unknown_model'],
    [400, { code: 'model_not_supported', param: 'model' }, 'unknown_model'],
    [404, { param: 'previous_response_id' }, 'request'],
    [403, { code: 'model_not_found' }, 'credentials'],
    [500, { code: 'model_not_found' }, 'unavailable'],
    [422, {}, 'request'],
    [401, {}, 'credentials'],
    [402, {}, 'credentials'],
    [403, {}, 'credentials'],
    [408, {}, 'timeout'],
    [504, {}, 'timeout'],
    [409, {}, 'unavailable'],
    [413, {}, 'context_length'],
    [429, {}, 'rate_limit'],
    [500, {}, 'unavailable'],
    [503, {}, 'unavailable'],
    [529, {}, 'unavailable'],
    [302, {}, 'redirect'],
    [400, { code: 'context_length_exceeded' }, 'context_length'],
    [400, { code: 'content_filter' }, 'content_filter'],
    [400, { innererror: { code: 'ResponsibleAIPolicyViolation' } }, 'content_filter'],
    [403, { code: 'content_policy_violation' }, 'content_filter'],
    [400, { type: 'content_filter' }, 'content_filter'],
    [400, { code: 'invalid_api_key' }, 'credentials'],
    [429, { code: 'context_length_exceeded' }, 'rate_limit'],
    [500, { code: 'content_filter' }, 'unavailable'],
  ])('failure class of status %i with %j is %s', (status, error, expected) => {
    expect(classOf({ status, error, message: '' })).toBe(expected);
  });

  test.each([
    ['prompt is too long: 208310 tokens > 200000 maximum', 'context_length'],
    [
      "This model's maximum context length is 8192 tokens. However, you requested",
      'context_length',
    ],
    ['input length and `max_tokens` exceed context limit: 1 + 2 > 3', 'context_length'],
    ['the request exceeds the available context size, try increasing it', 'context_length'],
    ['The input token count (1196265) exceeds the maximum number of tokens', 'context_length'],
    ['Please reduce the length of the messages or completion.', 'context_length'],
    ['Invalid request: Your request exceeded model token limit: 262144', 'context_length'],
    ['model max length exceeded, max length:8192', 'context_length'],
    ['Range of input length should be [1, 30720]', 'context_length'],
    ['Prompt exceeds max length', 'context_length'],
    ['too many tokens: size limit exceeded by 11326 tokens.', 'context_length'],
    ['`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4084', 'context_length'],
    ["triggering Azure OpenAI's content management policy.", 'content_filter'],
    ['Output blocked by content filtering policy', 'content_filter'],
    ['Content Exists Risk', 'content_filter'],
    ['Incorrect API key provided: xa***yz', 'credentials'],
    ['API key not valid. Please pass a valid API key.', 'credentials'],
    ['messages.0.content: Field required', 'request'],
  ])('failure class of a 400 that says %j is %s', (message, expected) => {
    expect(classOf({ status: 400, error: {}, message })).toBe(expected);
  });

  test.each([
    [404, 'The model `gpt-9` does not exist or you do not have access to it.', 'unknown_model'],
    [404, 'The API deployment for this resource does not exist.', 'unknown_model'],
    [404, 'model: claude-0', 'unknown_model'],
    [404, 'Invalid URL (POST /v1/responses)', 'unknown_model'],
    [400, 'Model Not Exist', 'unknown_model'],
    [400, 'x/y is not a valid model ID', 'unknown_model'],
    [404, 'No endpoints found for x/y.', 'unknown_model'],
    [404, 'No endpoints found that support tool use.', 'request'],
    [404, 'No endpoints found that support image input', 'request'],
    [404, 'File not found: file_011', 'request'],
    [404, 'No such File object: file-1', 'request'],
    [404, "Previous response with id 'resp_1' not found.", 'request'],
    [400, 'This model does not support images.', 'request'],
  ])('failure class of a %i that says %j is %s', (status, message, expected) => {
    expect(classOf({ status, error: {}, message })).toBe(expected);
  });

  test.each([
    [400, { message: 'Invalid model: x', type: 'invalid_model', code: '1500' }, 'unknown_model'],
    [400, { message: 'no', type: 'invalid_request_error', code: '3051' }, 'request'],
    [403, { code: 'x', error: 'Content violates usage guidelines. Team: t' }, 'content_filter'],
    [403, { code: 'x', error: 'Access to the chat endpoint is denied' }, 'credentials'],
  ])('failure class of a %i whose body is %j is %s', (status, json, expected) => {
    const body = Buffer.from(JSON.stringify(json));
    expect(failureOf({ status, headers: {}, body }).class).toBe(expected);
  });

  test('failure class of a tier without room is unavailable, and no fault of the target', () => {
    const body = Buffer.from('{"error":{"message":"Flex tier capacity exceeded"}}');
    expect(failureOf({ status: 498, headers: {}, body })).toMatchObject({
      class: 'unavailable',
      code: 'overloaded',
      status: 503,
      retryable: true,
      counts: false,
    });
  });

  test('failure class of refused content tells nothing of whose account it is', () => {
    const error = 'Content violates usage guidelines. Team: t1, API key ID: k1, Model: grok-4';
    const body = Buffer.from(JSON.stringify({ code: 'x', error }));
    const { message, body: told } = failureOf({ status: 403, headers: {}, body });
    expect([message, told]).toEqual(['Content violates usage guidelines.', null]);
  });

  test('failure class of refused content makes a clean error, also where it came as a 403', () => {
    const body = Buffer.from('{"error":{"code":403,"message":"was flagged by a moderator"}}');
    expect(failureOf({ status: 403, headers: {}, body })).toMatchObject({
      class: 'content_filter',
      status: 400,
      code: 'bad_request',
      retryable: false,
      counts: false,
      body: { error: { message: 'was flagged by a moderator' } },
    });
  });

  test('failure class of a refused key hides what was said, also where it came as a 400', () => {
    const body = Buffer.from('{"error":"Incorrect API key provided: xa***yz"}');
    const failure = failureOf({ status: 400, headers: {}, body });
    expect(failure).toMatchObject({
      class: 'credentials',
      status: 502,
      retryable: true,
      body: null,
    });
    expect(failure.message).not.toContain('xa***yz');
  });

  test.each([
    ['overloaded_error', 'unavailable', 529],
    ['rate_limit_error', 'rate_limit', 429],
    ['invalid_request_error', 'request', 400],
    ['authentication_error', 'credentials', 502],
    ['timeout_error', 'timeout', 504],
    ['request_too_large', 'context_length', 413],
    ['api_error', 'unavailable', 502],
  ])('failure class of %s inside an answer is %s', (type, expected, status) => {
    expect(failureInside({ type, message: 'm' })).toMatchObject({ class: expected, status });
  });

  test.each([
    ['content_filter', 'content_filter', 400],
    ['data_inspection_failed', 'content_filter', 400],
    ['1301', 'content_filter', 400],
    ['image_content_policy_violation', 'content_filter', 400],
    ['invalid_image_url', 'request', 400],
    ['model_not_found', 'unknown_model', 404],
    ['invalid_api_key', 'credentials', 502],
    ['server_error', 'unavailable', 502],
  ])('failure class of the code %s inside an answer is %s', (code, expected, status) => {
    expect(failureInside({ code, message: 'm' })).toMatchObject({ class: expected, status });
  });

  test('failure class of an error in a list is that of the error', () => {
    const error = {
      code: 400,
      message: 'The input token count (9) exceeds the maximum',
      status: 'X',
    };
    const body = Buffer.from(JSON.stringify([{ error }]));
    expect(failureOf({ status: 400, headers: {}, body })).toMatchObject({
      class: 'context_length',
      body: { error: { message: error.message, code: '400', param: null } },
    });
  });

  test('failure class of what the gateway itself saw is a timeout or unavailable', () => {
    expect(failed('upstream_timeout', 'm').class).toBe('timeout');
    expect(failed('upstream_unreachable', 'm').class).toBe('unavailable');
  });
});
