import { expect, test } from 'vitest';
import { ownId } from '../../src/core/answer-id.ts';

test('ownId puts a dialect’s mark before the digits of the call', () => {
  const id = ownId('msg_', 'call_01a21d13-aaa7-7b44-8bf5-c620100faa7c');
  expect(id).toBe('msg_01a21d13aaa77b448bf5c620100faa7c');
});
