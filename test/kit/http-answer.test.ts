import { expect, test } from 'vitest';
import { readAnswer } from './http-answer.ts';

const read = (text: string, more: { method?: string; ended?: boolean } = {}) =>
  readAnswer(Buffer.from(text, 'latin1'), { method: 'GET', ended: false, ...more });

test('readAnswer reads one response and leaves what follows it', () => {
  const got = read('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 ');
  expect(got?.answer).toMatchObject({ status: 200, framing: 'length', interim: [] });
  expect(got?.answer.body.toString()).toBe('ok');
  expect(got?.rest.toString()).toBe('HTTP/1.1 ');
});

test('readAnswer puts chunks together and tells them apart', () => {
  const got = read(
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n',
  );
  expect(got?.answer.chunks.map(String)).toEqual(['one', ' two']);
  expect(got?.answer.body.toString()).toBe('one two');
});

test('readAnswer passes interim responses over and knows those without a body', () => {
  const got = read('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n');
  expect(got?.answer).toMatchObject({ status: 204, interim: [100], framing: 'none' });
  const head = read('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n', { method: 'HEAD' });
  expect(head?.answer.body.length).toBe(0);
});

test('readAnswer waits for what has not come', () => {
  expect(read('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok')).toBeNull();
  expect(read('HTTP/1.1 200 OK\r\ncontent-le')).toBeNull();
  expect(read('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nok')).toBeNull();
  const open = 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok';
  expect(read(open)).toBeNull();
  expect(read(open, { ended: true })?.answer).toMatchObject({ framing: 'close' });
});

test.each([
  'HTTP/1.1 200 OK\nx: y\r\n\r\n',
  'HTTP/1.1 200 OK\r\nx : y\r\n\r\n',
  'HTTP/1.1 200 OK\r\n folded\r\n\r\n',
  'HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n',
  'HTTP/1.1 20 OK\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\no',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokay\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x2\r\nok\r\n',
])('readAnswer refuses %j', (text) => {
  expect(() => read(text)).toThrow();
});
