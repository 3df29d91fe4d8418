import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/mutations/prompt-patch.ts';
import { findingFor, kindOf, POLICY } from '../kit.ts';

const kind = kindOf(definition);

describe('prompt-patch', () => {
  test('prompt-patch proposes the first candidate that is not in force', () => {
    const solo = kind.propose?.(findingFor('solo'), { policy: POLICY, tried: [] });
    expect(solo?.patch).toEqual({ agents: { solo: { prompt: 'tone@1' } } });
    const duo = kind.propose?.(findingFor('duo'), { policy: POLICY, tried: [] });
    expect(duo?.patch).toEqual({ agents: { duo: { prompt: 'tone@2' } } });
  });

  test('prompt-patch passes over what was tried and what does not exist, and ends', () => {
    const tried = ['tone@1', 'tone@2'].map((prompt) => ({ agents: { solo: { prompt } } }));
    expect(kind.propose?.(findingFor('solo'), { policy: POLICY, tried })).toBeNull();
  });

  test('prompt-patch has nothing for errors', () => {
    const finding = findingFor('solo', { metric: 'error' });
    expect(kind.propose?.(finding, { policy: POLICY, tried: [] })).toBeNull();
  });
});
