import { expect, test } from 'vitest';
import { isAdapterFailure, proven, provenStream } from '../../src/core/adapter-failure.ts';
import { openOpenAiStream } from '../../src/core/openai-dialect.ts';
import { answerOf, START } from '../providers/provider-kit.ts';

test.each([
  [404, { error: { param: 'model' } }, true],
  [404, { error: { type: 'NotFoundError' } }, true],
  [404, { error: { param: 'messages' } }, false],
  [500, { error: { code: 'adapter_failed' } }, true],
  [500, { error: { code: 'oom' } }, false],
  [400, { error: { message: 'lora x was found but could not be loaded' } }, true],
  [400, { error: { message: 'bad temperature' } }, false],
  [429, { error: { param: 'model' } }, false],
])('an adapter failure is told by its body: a %i of %j is %s', (status, body, expected) => {
  expect(isAdapterFailure(answerOf(body, { status, adapter: 'x' }))).toBe(expected);
  expect(isAdapterFailure(answerOf(body, { status }))).toBe(false);
});

test('an adapter is told only where the model proves it', () => {
  const adapterOf = (model: string) => (model === 'sql' ? model : null);
  expect(proven({ model: 'sql' }, adapterOf)).toEqual({ model: 'sql', adapter: 'sql' });
  const base = { model: 'base' };
  expect(proven(base, adapterOf)).toBe(base);
  expect(proven({}, adapterOf)).toEqual({});
});

test('an adapter’s stream keeps what its translation owes at the end', () => {
  const adapterOf = (model: string) => model;
  const translated = openOpenAiStream({ ...START, endpoint: 'messages' });
  expect(provenStream(translated, adapterOf).finish?.().done).toBe(true);
  expect('finish' in provenStream(openOpenAiStream(START), adapterOf)).toBe(false);
});
