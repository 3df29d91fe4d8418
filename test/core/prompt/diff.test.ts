import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLines, linesOf } from '../../../src/core/prompt/diff.ts';

describe('prompt diff', () => {
  test('prompt diff writes every operation as lines', () => {
    const version = {
      ops: [
        { op: 'system.append' as const, text: 'One.\nTwo.' },
        { op: 'replace' as const, target: 'system' as const, anchor: 'a', text: 'b', expect: 2 },
        {
          op: 'fewshot.insert' as const,
          at: 'after-system' as const,
          messages: [{ role: 'user' as const, content: 'Hi' }],
        },
      ],
      note: 'why',
    };
    expect(linesOf(version)).toEqual([
      'system.append',
      '  One.',
      '  Two.',
      'replace ×2',
      '  a',
      '  → b',
      'fewshot.insert after-system',
      '  user: Hi',
      'note: "why"',
    ]);
  });

  test('prompt diff holds both sides whole, and no more than it must', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
    fc.assert(
      fc.property(lines, lines, (from, to) => {
        const diff = diffLines(from, to);
        const side = (mark: string) =>
          diff.filter((line) => line[0] === mark || line[0] === ' ').map((line) => line.slice(2));
        expect(side('-')).toEqual(from);
        expect(side('+')).toEqual(to);
        if (from.join() === to.join()) expect(diff.every((line) => line[0] === ' ')).toBe(true);
      }),
    );
  });
});
