import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { pathOf } from '../../src/gateway/front/request-line.ts';
import { storedAsked } from '../../src/gateway/stored-request.ts';

const read = (method: string, url: string) =>
  storedAsked({ method, url, headers: {} }, pathOf(url));

test('storedAsked reads what is asked of a response', () => {
  const id = 'resp_1';
  const plain = { id, part: '', query: '', stream: false };
  expect(read('GET', '/v1/responses/resp_1')).toEqual({ ...plain, method: 'GET' });
  expect(read('DELETE', '/v1/responses/resp_1?')).toEqual({ ...plain, method: 'DELETE' });
  expect(read('GET', '/v1/responses/resp_1?stream=true')).toEqual({
    ...plain,
    method: 'GET',
    query: '?stream=true',
    stream: true,
  });
  expect(read('GET', '/v1/responses/resp_1?stream=false').stream).toBe(false);
  expect(() => read('GET', '/v1/responses/resp_1?stream=true/')).toThrow('stream is true or false');
  for (const twice of [
    'stream=true&stream=false',
    'stream=true&a=1&stre%61m=true',
    'stream&stream',
  ]) {
    expect(() => read('GET', `/v1/responses/resp_1?${twice}`)).toThrow('stream is asked once');
  }
  const list = '?include=a&include=b';
  expect(read('GET', `/v1/responses/resp_1${list}`).query).toBe(list);
  expect(read('POST', '/v1/responses/resp_1/cancel?stream=true')).toMatchObject({
    method: 'POST',
    part: '/cancel',
    stream: false,
  });
  expect(read('GET', '/v1/responses/resp_1/input_items?after=a').query).toBe('?after=a');
});

test('storedAsked lets nothing through that could lead elsewhere, whatever is asked', () => {
  const piece = fc.oneof(
    fc.constantFrom('..', '.', '/', '//', '%2e', '%2f', '?', '#', '&', '=', '\r\n', ' ', '@', ':'),
    fc.constantFrom('resp_1', '/cancel', '/input_items', 'stream=true', 'models', '\\', 'é', '%'),
    fc.string({ maxLength: 8 }),
  );
  const methods = fc.constantFrom('GET', 'POST', 'DELETE', 'PUT');
  let passed = 0;
  fc.assert(
    fc.property(methods, fc.array(piece, { maxLength: 6 }), (method, pieces) => {
      try {
        const asked = read(method, `/v1/responses/${pieces.join('')}`);
        passed += 1;
        const path = `/responses/${asked.id}${asked.part}${asked.query}`;
        expect(path).toMatch(
          /^\/responses\/[A-Za-z0-9_-]+(\/cancel|\/input_items)?(\?[A-Za-z0-9%+&=._*-]*)?$/,
        );
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
      }
    }),
    { numRuns: 3000, seed: 11 },
  );
  expect(passed).toBeGreaterThan(50);
});
