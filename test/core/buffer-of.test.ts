import { expect, test } from 'vitest';
import { bufferOf } from '../../src/core/buffer-of.ts';

test('bufferOf gives a Buffer back as it is', () => {
  const bytes = Buffer.from('bees').subarray(1);
  expect(bufferOf(bytes)).toBe(bytes);
});

test('bufferOf shows the bytes of another view, and copies none', () => {
  const bytes = new TextEncoder().encode('honey bees').subarray(6);
  const shown = bufferOf(bytes);
  expect(shown.toString()).toBe('bees');
  bytes[0] = 0x66;
  expect(shown.toString()).toBe('fees');
});
