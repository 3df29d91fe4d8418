import { expect, test } from 'vitest';
import { phrasesOf } from '../../../src/core/signals/phrases.ts';
import { REFUSAL_CHARS_MAX, refusalOf } from '../../../src/core/signals/refusal.ts';
import { words } from './kit.ts';

const refused = (text: string): string | null => refusalOf(words(text), text.length);

test.each([
  ['en', 'I’m sorry, but I can’t help with that.'],
  ['en', 'I cannot assist with this request, as it could cause harm.'],
  ['en', 'I appreciate the question, but I must decline to write this.'],
  ['de', 'Es tut mir leid, aber dabei kann ich nicht helfen.'],
  ['fr', 'Désolé, je ne peux pas vous aider avec cette demande.'],
  ['es', 'Lo siento, pero no puedo ayudarte con eso.'],
  ['it', 'Mi dispiace, ma non posso aiutarti con questa richiesta.'],
  ['pt', 'Desculpe, mas não posso ajudar com isso.'],
  ['nl', 'Sorry, daar kan ik niet mee helpen.'],
  ['pl', 'Przepraszam, ale nie mogę pomóc w tej sprawie.'],
  ['tr', 'Üzgünüm, bu konuda yardımcı olamam.'],
  ['ru', 'Извините, я не могу помочь с этим запросом.'],
  ['zh', '很抱歉，我无法提供相关的帮助。'],
  ['ja', '申し訳ありませんが、そのご要望にはお手伝いできません。'],
  ['ko', '죄송하지만 그 요청은 도와드릴 수 없습니다.'],
  ['ar', 'آسف، لا أستطيع مساعدتك في ذلك.'],
])('refusalOf sees a refusal in %s: %s', (language, text) => {
  expect(refused(text)).toBe(language);
});

test.each([
  'I can’t find any errors in your code.',
  'I can’t help but notice that the loop never ends.',
  'I cannot recommend this book enough!',
  'You cannot help with the dishes if you are not here.',
  'Sorry for the confusion! The answer is 42.',
  'Unfortunately the train does not run on Sundays.',
  'The error says “permission denied”, so the user cannot write there.',
  'Das kann ich gern tun. Hier ist der Text.',
  'Je peux vous aider avec cette demande.',
  'No puedo estar más de acuerdo: es una buena idea.',
  'Я могу помочь с этим запросом.',
  '我可以提供相关的帮助。',
  '',
])('refusalOf sees none in: %s', (text) => {
  expect(refused(text)).toBeNull();
});

test('refusalOf sees none where it is only spoken of further on, or much else is said', () => {
  const story = `${'The clerk looked at the form and at the clock again. '.repeat(3)}`;
  expect(refused(`${story}“I can’t help with that,” he said.`)).toBeNull();
  expect(refusalOf(words('I can’t help with that.'), REFUSAL_CHARS_MAX + 1)).toBeNull();
});

test('phrasesOf finds the longest phrase that begins first, with any word for a star', () => {
  const phrases = phrasesOf({ short: ['give up'], long: ['give up * now'], never: ['up now'] });
  expect(phrases.find(words('please give up this now'), 9)).toEqual({ tag: 'long', at: 1, end: 5 });
  expect(phrases.find(words('give up'), 9)).toEqual({ tag: 'short', at: 0, end: 2 });
  expect(phrases.find(words('and so we give up'), 3)).toBeNull();
  expect(phrases.find(words('give up give up'), 9, 1)?.at).toBe(2);
  expect(() => phrasesOf({ none: ['…'] })).toThrow('no first word');
});
