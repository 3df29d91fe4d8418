import { expect, test } from 'vitest';
import { adminHost, isLoopback } from '../../src/config/loopback.ts';

const near = ['127.0.0.1', '127.8.9.10', 'localhost', '::1', '[::1]'];
const far = ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.test', 'localhost.evil.test'];

test('isLoopback knows the addresses that only this machine reaches', () => {
  expect(near.filter(isLoopback)).toEqual(near);
  expect(far.filter(isLoopback)).toEqual([]);
});

test('adminHost stays on loopback where the gateway does not', () => {
  expect(near.map(adminHost)).toEqual(near);
  expect(new Set(far.map(adminHost))).toEqual(new Set(['127.0.0.1']));
});
