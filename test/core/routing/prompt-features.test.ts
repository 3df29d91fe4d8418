import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DENSE_NAMES,
  FEATURE_NAMES,
  FEATURES,
  promptFeatures,
} from '../../../src/core/routing/prompt-features.ts';

const at = (name: (typeof DENSE_NAMES)[number], text: string): number =>
  promptFeatures(text)[DENSE_NAMES.indexOf(name)] as number;
const cosine = (left: string, right: string): number => {
  const [a, b] = [promptFeatures(left), promptFeatures(right)];
  let sum = 0;
  for (let k = DENSE_NAMES.length; k < FEATURES; k += 1) sum += (a[k] as number) * (b[k] as number);
  return sum;
};

describe('prompt features', () => {
  test('prompt features tell code, sums, choices, questions and other scripts', () => {
    expect(at('code', 'def f(x): return {x: [1]}; y_z = x;')).toBeGreaterThan(0.9);
    expect(at('code', 'Where is the station, please')).toBe(0);
    expect(at('digits', 'What is 12345 + 67890?')).toBeGreaterThan(0.9);
    expect(at('mathematics', '$\\frac{a}{b} + c^2$')).toBeGreaterThan(0.9);
    expect(at('choices', 'Which?\nA. one\nB. two\nC. three\nD. four')).toBe(1);
    expect(at('question', 'Is it so?')).toBe(0.5);
    expect(at('other_script', '你好世界你好世界')).toBe(1);
    expect(at('instruction_first', 'Write a poem.')).toBe(1);
  });

  test('prompt features tell what is asked by the first words, of the last sentence too', () => {
    expect(at('asks_how_or_why', 'Why is the sky blue?')).toBe(1);
    expect(at('asks_for_a_fact', 'Here is my text. Who wrote it')).toBe(1);
    expect(at('asks_to_make', 'WRITE me a poem')).toBe(1);
    expect(at('asks_to_rework', 'One two three.\nTranslate this')).toBe(1);
    expect(at('asks_to_rework', 'Do not translate this')).toBe(0);
  });

  test('prompt features tell accents and scripts apart, and read each ideograph', () => {
    expect(at('accents', 'Möchten Sie das ändern? Natürlich, später.')).toBeGreaterThan(0.5);
    expect(at('accents', 'Do you want to change it? Of course, later.')).toBe(0);
    const [left, right] = ['今天天气很好', '今天天气不好'].map((text) => promptFeatures(text));
    expect(left).not.toEqual(right);
    expect(at('word_length', '今天天气很好')).toBeCloseTo(1 / 8, 9);
  });

  test('prompt features have the request’s size, tools and turn as they are told', () => {
    const x = promptFeatures('hi', { tools: true, turn: 3, bytes: 5000 });
    const of = (name: (typeof DENSE_NAMES)[number]): number =>
      x[DENSE_NAMES.indexOf(name)] as number;
    expect(of('tools')).toBe(1);
    expect(of('turn')).toBeCloseTo(Math.log1p(3) / 4, 9);
    expect(of('request_size')).toBeCloseTo(Math.log1p(5000) / 14, 9);
    expect(FEATURE_NAMES).toHaveLength(FEATURES);
  });

  test('prompt features of alike texts are near, of others far', () => {
    const asked = (what: string): string =>
      `Answer the following question of a customer of our shop in one sentence: ${what}`;
    expect(cosine(asked('where is my parcel'), asked('may I send it back'))).toBeGreaterThan(0.6);
    expect(cosine(asked('where is my parcel'), 'fix this function: sort(list)')).toBeLessThan(0.4);
  });

  test('prompt features are finite, bounded and the same again, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 4000 }), (text) => {
        const x = promptFeatures(text);
        expect(x).toEqual(promptFeatures(text));
        for (const value of x) expect(Math.abs(value)).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 60 },
    );
  });

  test('prompt features read the beginning and the end of a long text', () => {
    const middle = 'x'.repeat(5000);
    expect(promptFeatures(`a ${middle} b`)).not.toEqual(promptFeatures(`a ${middle} c`));
  });
});
