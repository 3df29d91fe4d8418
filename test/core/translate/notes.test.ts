import { expect, test } from 'vitest';
import { Notes } from '../../../src/core/translate/notes.ts';

test('Notes remember each subject once, and no more of them than anybody reads', () => {
  const notes = new Notes();
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < 1000; at++) notes.add(`field.${at}.${'x'.repeat(10_000)}`);
  }
  expect(notes.list.length).toBeLessThanOrEqual(32);
  expect(notes.list[0]?.subject).toMatch(/^field\.0\.x+$/);
  expect(JSON.stringify(notes.list).length).toBeLessThan(10_000);
});
