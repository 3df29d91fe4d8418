import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestHead } from '../../../../src/gateway/upstream/http1/request-head.ts';

const asked = (more: object = {}) =>
  requestHead({
    origin: 'https://api.example:8443',
    network: 'public',
    connect_ms: 1,
    method: 'POST',
    path: '/v1/x?y=1',
    headers: { accept: 'a/b', authorization: 'Bearer k' },
    body: Buffer.from('{}'),
    ...more,
  });

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
        expect(thrown).toBeInstanceOf(TypeError);
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
