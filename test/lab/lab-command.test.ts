import { describe, expect, test } from 'vitest';
import { fileFlag, numberFlag } from '../../src/lab/lab-command.ts';

describe('numberFlag', () => {
  test('numberFlag reads a number within its bounds, or gives the default', () => {
    expect(numberFlag({ share: '0.1' }, 'share', 0.05, [0, 1])).toBe(0.1);
    expect(numberFlag({}, 'share', 0.05, [0, 1])).toBe(0.05);
  });

  test.each(['x', '', '2', '-1', 'NaN'])('numberFlag refuses %j', (share) => {
    expect(() => numberFlag({ share }, 'share', 0.05, [0, 1])).toThrow('a number from 0 to 1');
  });
});

describe('fileFlag', () => {
  test('fileFlag asks for what is missing', () => {
    expect(fileFlag({ log: 'a.jsonl' }, 'log')).toBe('a.jsonl');
    expect(() => fileFlag({}, 'log')).toThrow('--log FILE is missing');
  });
});
