import { describe, expect, test } from 'vitest';
import { boundProblem } from '../../../src/core/bounds.ts';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { mergePatch } from '../../../src/core/pointer.ts';
import type { Policy } from '../../../src/core/policy.ts';
import { definition } from '../../../src/oracle/mutations/prompt-patch.ts';
import { CONTENTS, findingFor, kindOf, POLICY } from '../kit.ts';

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

  test('prompt-patch pins what a label is at, and tries it again once the label has moved', () => {
    const at = (version: number): Policy => ({
      ...POLICY,
      prompts: { tone: { ...POLICY.prompts.tone, labels: { staging: version } } as never },
      oracle: {
        ...POLICY.oracle,
        bounds: { '/agents/*/prompt': { candidates: ['tone@staging'] } },
      },
    });
    const propose = (policy: Policy, tried: readonly JsonObject[]) =>
      kind.propose?.(findingFor('solo'), { policy, tried })?.patch ?? null;
    const first = propose(at(1), []);
    expect(first).toEqual({ agents: { solo: { prompt: 'tone@1' } } });
    expect(propose(at(1), [first ?? {}])).toBeNull();
    expect(propose(at(2), [first ?? {}])).toEqual({ agents: { solo: { prompt: 'tone@2' } } });
    const after = mergePatch(at(1), first ?? {}) as unknown as Policy;
    const row = { type: 'PROMPT_PATCH', agent: 'solo', touches: ['/agents/solo/prompt'] } as const;
    expect(boundProblem(row, at(1), after, CONTENTS)).toBeNull();
    const moved = mergePatch(at(2), first ?? {}) as unknown as Policy;
    expect(boundProblem(row, at(2), moved, CONTENTS)).toContain('is not a candidate');
  });

  test('prompt-patch has nothing for errors', () => {
    const finding = findingFor('solo', { metric: 'error' });
    expect(kind.propose?.(finding, { policy: POLICY, tried: [] })).toBeNull();
  });
});
