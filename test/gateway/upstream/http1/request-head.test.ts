import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../../../../src/core/errors.ts';
import { RequestHeads } from '../../../../src/gateway/upstream/http1/request-head.ts';

const asked = (more: object = {}) =>
  new RequestHeads().of({
    base_url: 'https://api.example:8443/v1',
    network: 'public',
    connect_ms: 1,
    method: 'POST',
    path: '/v1/x?y=1',
    headers: { accept: 'a/b', authorization: 'Bearer k' },
    body: Buffer.from('{}'),
    ...more,
  }).head;

test('head tells the host with its port, the headers, and the length of the body', () => {
  expect(asked()).toBe(
    'POST /v1/x?y=1 HTTP/1.1\r\nhost: api.example:8443\r\naccept: a/b\r\n' +
      'authorization: Bearer k\r\ncontent-length: 2\r\n\r\n',
  );
});

test('head holds nothing but what was given, whatever a path or a header is', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\r\nx: y', '\n'),
  );
  fc.assert(
    fc.property(text, text, text, (path, name, value) => {
      let head: string;
      try {
        head = asked({ path: `/${path}`, headers: { [name]: value } });
      } catch (thrown) {
        // A path that would lead to another host is refused as such.
        expect(thrown instanceof TypeError || thrown instanceof GatewayError).toBe(true);
        return;
      }
      expect(head.split('\r\n')).toEqual([
        `POST /${path} HTTP/1.1`,
        'host: api.example:8443',
        `${name}: ${value}`,
        'content-length: 2',
        '',
        '',
      ]);
      expect(head.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
    }),
  );
});

test.each(['host', 'content-length', 'transfer-encoding', 'connection', 'expect'])(
  'head leaves %s to the client alone',
  (name) => {
    expect(() => asked({ headers: { [name]: 'x' } })).toThrow(TypeError);
  },
);

test('heads are put together once for headers that cannot change, and anew for any others', () => {
  const heads = new RequestHeads();
  const base = { network: 'public', connect_ms: 1 } as const;
  const kind = fc.record({
    base_url: fc.constantFrom('https://a.test/v1', 'http://b.test:1'),
    method: fc.constantFrom('POST' as const, 'DELETE' as const),
    path: fc.constantFrom('/v1/x', '/v1/y'),
    headers: fc.constantFrom(
      Object.freeze({ accept: 'a' }),
      Object.freeze({ accept: 'b', 'x-own': '1' }),
      { accept: 'c' },
    ),
    body: fc.constantFrom(Buffer.from(''), Buffer.from('{}'), Buffer.from('{"a":1}')),
  });
  fc.assert(
    fc.property(fc.array(kind, { maxLength: 30 }), (requests) => {
      for (const one of requests) {
        const request = { ...base, ...one };
        expect(heads.of(request)).toEqual(new RequestHeads().of(request));
      }
    }),
  );
  const headers = { accept: 'a' };
  const request = { ...base, base_url: 'https://a.test', path: '/', method: 'POST' as const };
  const body = Buffer.from('');
  expect(heads.of({ ...request, headers, body }).head).toContain('accept: a');
  headers.accept = 'x\r\ny: z';
  expect(() => heads.of({ ...request, headers, body })).toThrow(TypeError);
});
