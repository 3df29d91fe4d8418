import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameOf, REASK_SIMILARITY, similarityOf } from '../../../src/core/signals/similarity.ts';

test.each([
  ['How do I reset my password?', 'how can i reset the password'],
  ['How do I reset my password?', 'Please tell me how to reset my pasword!'],
  ['What is the capital of Australia?', 'what IS the capital of australia???'],
  [
    'Wie lösche ich mein Benutzerkonto?',
    'Wie kann ich mein Benutzerkonto löschen? lösche Benutzerkonto',
  ],
  ['Comment annuler ma commande en ligne ?', 'comment puis-je annuler ma commande en ligne'],
  ['Как сбросить пароль на сайте?', 'как мне сбросить пароль на этом сайте'],
  ['如何重置我的密码', '请问如何重置我的密码'],
])('similarityOf finds a question asked again: %s / %s', (earlier, later) => {
  expect(similarityOf(earlier, later)).toBeGreaterThanOrEqual(REASK_SIMILARITY);
});

test.each([
  ['What is the capital of Australia?', 'What is the capital of Austria, and its rivers?'],
  ['Write a poem about autumn leaves in Paris', 'Write a poem about autumn leaves in London'],
  ['Summarise chapter 3 of the annual report', 'Summarise chapter 4 of the annual report'],
  ['How do I reset my password?', 'How do I reset my email?'],
  ['Wie lösche ich mein Benutzerkonto?', 'Wie ändere ich meine Rechnungsadresse?'],
  ['如何重置我的密码', '如何删除我的账户'],
  ['What is the weather in Rome tomorrow?', 'Should I take an umbrella then?'],
])('similarityOf keeps two questions apart: %s / %s', (earlier, later) => {
  expect(similarityOf(earlier, later)).toBeLessThan(REASK_SIMILARITY);
});

test('similarityOf compares nothing that is too short or too long', () => {
  expect(similarityOf('yes', 'yes')).toBeNull();
  expect(similarityOf('go on', 'go on')).toBeNull();
  expect(similarityOf('word '.repeat(200), 'word '.repeat(200))).toBeNull();
  expect(frameOf('word '.repeat(200), 'word '.repeat(200))).toBe(0);
});

test('similarityOf is 1 for the same, the same both ways, and within 0 and 1', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 120 });
  fc.assert(
    fc.property(text, text, (left, right) => {
      const there = similarityOf(left, right);
      expect(similarityOf(right, left)).toBe(there);
      if (there !== null) expect(there >= 0 && there <= 1).toBe(true);
      expect([null, 1]).toContain(similarityOf(left, left));
      expect(frameOf(left, right)).toBeGreaterThanOrEqual(there ?? 0);
    }),
  );
});
