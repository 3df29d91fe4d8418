import { expect, test } from 'vitest';
import { choicesOf, SeveralChoices } from '../../src/core/several-choices.ts';

test.each([
  [1, {}, {}],
  [3, { n: 3 }, {}],
  [2, { n: 3 }, { n: 2 }],
  [1, { n: null }, {}],
  [1, { n: 0 }, {}],
  [1, { n: '3' }, {}],
  [1, { prompt: 'one' }, {}],
  [1, { prompt: [1, 2, 3] }, {}],
  [4, { prompt: ['one', 'two'], n: 2 }, {}],
  [2, { prompt: [[1], [2, 3]] }, {}],
  [1, { prompt: [] }, {}],
])('choicesOf counts %i of %j with %j', (count, body, patch) => {
  expect(choicesOf(body, patch)).toBe(count);
});

const event = (...choices: object[]): Buffer =>
  Buffer.from(`data: ${JSON.stringify({ choices })}\n\n`);

test('SeveralChoices is finished when as many have finished as were asked for', () => {
  const stream = new SeveralChoices(2);
  const finishedAfter = (...choices: object[]) => stream.decode(event(...choices)).finished;
  expect(finishedAfter({ index: 0, delta: { content: 'a' }, finish_reason: null })).toBe(false);
  expect(finishedAfter({ index: 0, delta: {}, finish_reason: 'stop' })).toBe(false);
  expect(finishedAfter({ index: 0, delta: {}, finish_reason: 'stop' })).toBe(false);
  expect(finishedAfter({ index: 1, delta: { content: 'b' } })).toBe(false);
  expect(finishedAfter({ index: 1, delta: {}, finish_reason: 'length' })).toBe(true);
  expect(stream.decode(Buffer.from('data: [DONE]\n\n'))).toMatchObject({ done: true });
});
