import { expect, test } from 'vitest';
import { jsonAnswer } from '../../../src/oracle/models/json-answer.ts';

test.each([
  ['{"a":1}', { a: 1 }],
  [' {"a":1}\n', { a: 1 }],
  ['```json\n{"a":1}\n```', { a: 1 }],
  ['```\n[1]\n```\n', [1]],
  ['Sure: {"a":1}', undefined],
  ['{"a":1} and more', undefined],
  ['', undefined],
])('jsonAnswer reads %j', (text, wanted) => {
  expect(jsonAnswer(text)).toEqual(wanted);
});
