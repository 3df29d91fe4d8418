import { expect, test } from 'vitest';
import { factsFor, idFor } from '../../../src/core/translate/words.ts';

test.each([
  ['messages', 'chatcmpl-Abc1', 'msg_Abc1'],
  ['messages', 'gen-17', 'msg_gen-17'],
  ['messages', 'msg_1', 'msg_1'],
  ['chat', 'msg_01Ab', 'chatcmpl-01Ab'],
  ['chat', 'chatcmpl-1', 'chatcmpl-1'],
  ['chat', 'msg_', 'chatcmpl-'],
  ['messages', '', 'msg_018f0a1b'],
  ['messages', undefined, 'msg_018f0a1b'],
  ['chat', 7, 'chatcmpl-018f0a1b'],
] as const)('idFor: what readers of %s know %j as is %j', (reader, id, known) => {
  expect(idFor(reader, id, 'call_018f-0a1b')).toBe(known);
});

test('factsFor changes nothing but the id', () => {
  expect(factsFor('messages', { completion_id: 'chatcmpl-1', finish: 'stop' })).toEqual({
    completion_id: 'msg_1',
    finish: 'stop',
  });
  const silent = { finish: 'stop' };
  expect(factsFor('chat', silent)).toBe(silent);
});
