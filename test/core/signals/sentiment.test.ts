import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sentimentRules } from '../../../src/core/signals/sentiment.ts';

const of = (text: string): number => sentimentRules.of(text) ?? Number.NaN;

test.each([
  'This is great',
  'very helpful, solved my problem in a minute and perfect',
  'Sehr hilfreich!',
  'C’est parfait',
  'Excelente respuesta',
  'Ottimo, grazie',
  'очень полезно',
  '很好，谢谢',
  'not bad at all',
])('sentimentRules hears praise: %s', (text) => expect(of(text)).toBeGreaterThan(0));

test.each([
  'Absolutely terrible',
  'not helpful',
  'It is not good and it is useless',
  'Das war nicht hilfreich',
  'enttäuschend',
  'C’est nul',
  'pésimo',
  'это ужасно',
  '不好',
  'never works, broken again',
])('sentimentRules hears displeasure: %s', (text) => expect(of(text)).toBeLessThan(0));

test.each(['The invoice number is 17', 'I would like a refund', '', 'Paris', '12345', '🙂'])(
  'sentimentRules hears nothing in: %s',
  (text) => expect(sentimentRules.of(text)).toBeNull(),
);

test('sentimentRules weighs stress and weakening', () => {
  expect(of('extremely bad')).toBeLessThan(of('bad'));
  expect(of('slightly bad')).toBeGreaterThan(of('bad'));
  expect(of('not good')).toBeGreaterThan(of('terrible'));
});

test('sentimentRules stays within −1 and 1, whatever the text', () => {
  const word = fc.constantFrom('not', 'very', 'bad', 'good', 'terrible', 'love', 'x', '垃圾');
  fc.assert(
    fc.property(fc.array(word, { maxLength: 300 }), (all) => {
      const heard = sentimentRules.of(all.join(' '));
      if (heard !== null) expect(Math.abs(heard)).toBeLessThanOrEqual(1);
    }),
  );
  expect(sentimentRules.of('bad '.repeat(250_000))).toBeLessThan(-0.9);
});
