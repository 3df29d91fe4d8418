import { expect, test } from 'vitest';
import { checksPassed } from '../../../src/core/prompt/answer-checks.ts';

test.each([
  ['Sources: none.', { contains: 'sources' }, 1],
  ['No idea.', { contains: 'sources' }, 0],
  ['As an AI I cannot', { not_contains: 'as an ai' }, 0],
  ['Of course.', { not_contains: 'as an ai' }, 1],
  ['äöü', { chars_max: 3 }, 1],
  ['äöüß', { chars_max: 3 }, 0],
  ['ab', { chars_min: 3 }, 0],
  ['{"a":1}', { json: true }, 1],
  ['{"a":1', { json: true }, 0],
] as const)('checksPassed judges %j by %j', (answer, check, passed) => {
  expect(checksPassed(answer, [check])).toBe(passed);
  expect(checksPassed(answer, [check, check])).toBe(2 * passed);
});
