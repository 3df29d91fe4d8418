import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { followUpRules } from '../../../src/core/signals/follow-up.ts';
import { followUpOf } from '../../../src/core/signals/follow-up-of.ts';
import { words } from './kit.ts';

const classOf = (text: string) => followUpRules.classify(words(text));

describe('followUpRules', () => {
  test.each([
    'No, that’s wrong.',
    'that is incorrect, the capital is Canberra',
    'Das stimmt nicht, es sind fünf.',
    'C’est faux, relis la question.',
    'Eso no es correcto.',
    'Isso está errado.',
    'Dat klopt niet.',
    'Это неправильно, попробуй посчитать.',
    '你错了，应该是五个',
    'これは間違っています',
    'Danke, aber das ist falsch',
  ])('followUpRules sees a wrong answer corrected: %s', (text) => {
    expect(classOf(text)).toEqual({ class: 'wrong_answer', correction: true });
  });

  test.each([
    'No, I meant the other file.',
    'That’s not what I asked for',
    'Nein, ich meinte die zweite Zeile',
    'Je voulais dire la deuxième ligne',
    'Нет, я имел в виду другое',
    '我的意思是另外一个文件',
    'Nee, ik bedoel de andere',
  ])('followUpRules sees that something else was meant: %s', (text) => {
    expect(classOf(text)).toEqual({ class: 'wants_different', correction: true });
  });

  test.each([
    'It doesn’t work',
    'still getting the same error',
    'Funktioniert nicht.',
    'ça ne marche pas',
    'no funciona',
    'Всё равно не работает',
  ])('followUpRules sees that what was proposed does not work: %s', (text) => {
    expect(classOf(text)).toEqual({ class: 'wrong_answer', correction: false });
  });

  test.each([
    'What do you mean by that?',
    'I don’t understand the second step',
    'Das verstehe ich nicht',
    'Je ne comprends pas',
    'No entiendo',
    'Я не понимаю',
    'どういう意味ですか',
  ])('followUpRules sees a need to clarify: %s', (text) => {
    expect(classOf(text)).toEqual({ class: 'needs_clarification', correction: false });
  });

  test.each([
    'Try again',
    'Make it shorter please',
    'Kürzer bitte',
    'otra versión',
    '换一个',
    'riprova',
  ])('followUpRules sees that something different is wanted: %s', (text) =>
    expect(classOf(text)).toEqual({ class: 'wants_different', correction: false }),
  );

  test.each([
    'Thanks!',
    'thank you, that worked',
    'Perfect',
    'Danke, perfekt',
    'Super, danke dir!',
    'Merci beaucoup',
    '¡Muchas gracias!',
    'Спасибо, помогло',
    '谢谢',
    'ありがとう',
  ])('followUpRules sees a user who is satisfied: %s', (text) => {
    expect(classOf(text)).toEqual({ class: 'satisfied', correction: false });
  });

  test.each([
    'no thanks',
    'Thanks, but I need it in Python',
    'Danke, aber ich brauche es in Python',
    'I don’t think that’s wrong.',
    'Why is this wrong?',
    'Is that wrong?',
    'If it doesn’t work, what then?',
    'Can you explain how TCP works?',
    'Nice is a city in France, how far is it from Paris?',
    'Great. Now write a poem about spring for my mother.',
    'My boss said hello to me. What do I answer?',
    'It takes too long to load the page, what should I look at?',
    'I don’t like cheese, suggest a recipe.',
    'And what is the capital of Spain?',
    'Was kostet das Ticket nach Berlin?',
    'Et combien coûte le billet ?',
    '对不对',
    'continue',
    '',
  ])('followUpRules says nothing of: %s', (text) => {
    expect(classOf(text)).toEqual({ class: 'none', correction: false });
  });

  test('followUpRules says nothing of a long message, whatever it begins with', () => {
    expect(
      classOf(`It does not work. ${'Here is another task for you now. '.repeat(40)}`).class,
    ).toBe('none');
  });

  test('followUpRules never throws, whatever is said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(classOf(text).class).toBeTypeOf('string');
      }),
    );
  });
});

describe('followUpOf', () => {
  const turn = (user: string, ...earlier: string[]) =>
    followUpOf({ user, earlier, results: [] }, words(user), followUpRules);

  test('followUpOf sees a question that is asked again', () => {
    const follow_up = turn('how can I reset my password??', 'How do I reset my password?');
    expect(follow_up).toMatchObject({ class: 'none', reask: true });
    expect(follow_up?.similarity).toBeGreaterThanOrEqual(0.6);
    expect(turn('And how do I delete my account?', 'How do I reset my password?')?.reask).toBe(
      undefined,
    );
  });

  test('followUpOf takes messages that are all wrapped alike for no repetition', () => {
    const wrapped = (question: string): string =>
      `Answer from the company handbook and cite the paragraph. Question: ${question}`;
    const all = ['holiday', 'holidays', 'sickness'].map(wrapped) as [string, string, string];
    expect(turn(all[1], all[0])?.reask).toBe(true);
    expect(turn(all[1], all[0], all[2])?.reask).toBe(undefined);
  });

  test('followUpOf counts tools that failed, also where the user said nothing', () => {
    const results = [{ role: 'tool', content: 'Error: no such file' }];
    const silent = followUpOf({ user: null, earlier: [], results }, null, followUpRules);
    expect(silent).toEqual({ class: 'none', tool_failures: 1 });
    const plain = { user: null, earlier: [], results: [{ role: 'tool', content: '12 °C' }] };
    expect(followUpOf(plain, null, followUpRules)).toBeUndefined();
  });
});
