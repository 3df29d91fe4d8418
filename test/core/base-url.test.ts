import fc from 'fast-check';
import { expect, test } from 'vitest';
import { baseUrlOf } from '../../src/core/base-url.ts';

const host = fc.oneof(
  fc.constantFrom('localhost', '127.0.0.1', '[::1]', 'api.example.com', 'EXAMPLE.com', '010.0.0.1'),
  fc.constantFrom(
    '1',
    '1.2',
    '0x7f.1',
    'a.1',
    'xn--p1ai',
    'ex_ample',
    '300.1.1.1',
    'a..b',
    'bücher.de',
  ),
  fc.domain(),
  fc.ipV4(),
);
const part = fc.constantFrom(
  'v1',
  '.',
  '..',
  '%2e',
  '',
  'a b',
  'é',
  'openai',
  'a.b',
  '.well',
  '~x',
);
const tail = fc.constantFrom('', '/', '//', '?x=1', '#y', '/?', '\\z');
const url = fc
  .tuple(
    fc.constantFrom('http', 'https', 'HTTP'),
    host,
    fc.constantFrom(
      '',
      ':80',
      ':443',
      ':8080',
      ':08080',
      ':',
      ':65535',
      ':65536',
      ':99999',
      ':4430',
    ),
    fc.array(part, { maxLength: 3 }),
    tail,
  )
  .map(([scheme, name, port, parts, end]) => {
    return `${scheme}://${name}${port}${parts.map((one) => `/${one}`).join('')}${end}`;
  });

test('baseUrlOf takes a URL apart as the URL parser does', () => {
  fc.assert(
    fc.property(url, (text) => {
      const parsed = URL.parse(text);
      if (parsed === null) {
        expect(() => baseUrlOf(text)).toThrow();
        return;
      }
      const path = parsed.pathname.replace(/\/+$/, '');
      expect(baseUrlOf(text)).toEqual({ origin: parsed.origin, path });
    }),
    { numRuns: 5000 },
  );
});

test('baseUrlOf of an engine that is not up is empty', () => {
  expect(baseUrlOf('')).toEqual({ origin: '', path: '' });
});
