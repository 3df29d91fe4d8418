import { expect, test } from 'vitest';
import { fittingFields } from '../../src/core/fitting-fields.ts';

test('fittingFields leaves out, and names, what is refused and the client did not send', () => {
  const patch = { temperature: 0.2, top_p: 0.5, user: 'u' };
  const refuses = (field: string) => field !== 'user';
  const { patch: fitting, notes } = fittingFields(patch, { model: 'm', top_p: null }, refuses);
  expect(fitting).toEqual({ top_p: 0.5, user: 'u' });
  expect(notes.map(({ subject }) => subject)).toEqual(['temperature']);
});

test('fittingFields hands on what fits as it is', () => {
  const patch = { temperature: 0.2 };
  const fitting = fittingFields(patch, {}, () => false);
  expect(fitting.patch).toBe(patch);
  expect(fitting.notes).toEqual([]);
});
