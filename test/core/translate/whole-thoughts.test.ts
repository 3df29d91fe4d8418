import { describe, expect, test } from 'vitest';
import { WholeThoughts } from '../../../src/core/translate/whole-thoughts.ts';

describe('WholeThoughts', () => {
  test('puts pieces together by the number of their block, and tells them once', () => {
    const thoughts = new WholeThoughts();
    thoughts.add(0, { type: 'thinking', thinking: 'a' });
    thoughts.add(1, { type: 'redacted_thinking', data: 'D' });
    thoughts.add(0, { type: 'thinking', thinking: 'b' });
    thoughts.add(0, { type: 'thinking', signature: 'S' });
    expect(thoughts.take()).toEqual([
      { type: 'thinking', thinking: 'ab', signature: 'S' },
      { type: 'redacted_thinking', data: 'D' },
    ]);
    expect(thoughts.take()).toBeNull();
  });

  test('says nothing where nothing was thought, or one piece was all', () => {
    const thoughts = new WholeThoughts();
    expect(thoughts.take()).toBeNull();
    thoughts.add(0, { type: 'thinking', signature: 'S' });
    expect(thoughts.take()).toBeNull();
  });
});
