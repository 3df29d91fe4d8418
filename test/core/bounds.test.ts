import { describe, expect, test } from 'vitest';
import { boundProblem } from '../../src/core/bounds.ts';
import type { JsonObject } from '../../src/core/canonical.ts';
import type { MutationType } from '../../src/core/oracle.ts';
import { mergePatch, touchedPointers } from '../../src/core/pointer.ts';
import type { Policy } from '../../src/core/policy.ts';
import { estimatedTokens } from '../../src/core/prompt/version.ts';
import { smallContents, smallPolicy } from './policy.ts';

function problemOf(type: MutationType, agent: string, patch: JsonObject): string | null {
  const after = mergePatch(smallPolicy, patch) as unknown as Policy;
  const touches = touchedPointers(patch);
  return boundProblem({ type, agent, touches }, smallPolicy, after, smallContents);
}

const agents = (agent: string, change: JsonObject): JsonObject => ({ agents: { [agent]: change } });

describe('boundProblem', () => {
  test('bounds allow what they name, and none as an adapter always', () => {
    expect(problemOf('LORA_APPLY', 'helper', agents('helper', { adapter: 'upper' }))).toBeNull();
    expect(problemOf('LORA_APPLY', 'helper', agents('helper', { adapter: 'none' }))).toBeNull();
    expect(problemOf('PROMPT_PATCH', 'helper', agents('helper', { prompt: 'tone@2' }))).toBeNull();
    expect(
      problemOf('MODEL_SWAP', 'helper', agents('helper', { targets: { mini: 1 } })),
    ).toBeNull();
  });

  test.each<[string, MutationType, string, JsonObject, string]>([
    [
      'an adapter',
      'LORA_APPLY',
      'helper',
      agents('helper', { adapter: 'x' }),
      'adapter "x" is not',
    ],
    [
      'a prompt',
      'PROMPT_PATCH',
      'helper',
      agents('helper', { prompt: 'tone@1' }),
      'not a candidate',
    ],
    [
      'another agent',
      'LORA_APPLY',
      'helper',
      agents('other', { adapter: 'upper' }),
      'not a knob of',
    ],
    ['the bounds', 'PARAM_SET', 'helper', { oracle: { bounds: {} } }, 'not a knob of'],
    ['a free knob', 'PARAM_SET', 'helper', agents('helper', { params: { n: 9 } }), 'no bound of'],
    ['a range', 'PARAM_SET', 'helper', agents('helper', { params: { temperature: 1.5 } }), '> 1'],
    ['a step', 'PARAM_SET', 'helper', agents('helper', { params: { temperature: 0.9 } }), '0.400'],
    [
      'a type',
      'PARAM_SET',
      'helper',
      agents('helper', { params: { temperature: 'x' } }),
      'numbers',
    ],
    [
      'a target',
      'MODEL_SWAP',
      'helper',
      agents('helper', { targets: { evil: 1 } }),
      'not be added',
    ],
    [
      'the last target',
      'MODEL_SWAP',
      'helper',
      agents('helper', { targets: { demo: 0 } }),
      '0 targ',
    ],
    ['a big step', 'ROUTE_CHANGE', 'other', agents('other', { targets: { demo: 9 } }), 'share of'],
  ])('bounds refuse %s that they do not allow', (_, type, agent, patch, reason) => {
    expect(problemOf(type, agent, patch)).toContain(reason);
  });

  test('bounds refuse a prompt that adds too many tokens', () => {
    const before = mergePatch(smallPolicy, {
      oracle: { bounds: { '/agents/*/prompt': { candidates: ['tone@3'] } } },
    }) as unknown as Policy;
    const patch = agents('helper', { prompt: 'tone@3' });
    const after = mergePatch(before, patch) as unknown as Policy;
    const row = { type: 'PROMPT_PATCH', agent: 'helper', touches: touchedPointers(patch) } as const;
    expect(boundProblem(row, before, after, smallContents)).toBe(
      'prompt tone@3 adds about 100 tokens, more than 10',
    );
    expect(estimatedTokens('€')).toBe(1);
  });
});
