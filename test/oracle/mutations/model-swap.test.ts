import { describe, expect, test } from 'vitest';
import { matchesPattern } from '../../../src/core/pointer.ts';
import { definition } from '../../../src/oracle/mutations/model-swap.ts';
import { kindOf } from '../kit.ts';

describe('model-swap', () => {
  test('model-swap may touch its own knob and no other, and takes people’s plans only', () => {
    const kind = kindOf(definition);
    const may = (pointer: string) => kind.paths.some((path) => matchesPattern(path, pointer));
    expect(kind.type).toBe('MODEL_SWAP');
    expect(kind.risk).toBe('high');
    expect(Object.hasOwn(kind, 'propose')).toBe(false);
    expect(may('/agents/solo/targets/mini')).toBe(true);
    expect(may('/agents/solo/adapter')).toBe(false);
    expect(may('/agents/solo')).toBe(false);
    expect(may('/oracle/safety/min_confidence')).toBe(false);
  });
});
