import { describe, expect, test } from 'vitest';
import { matchesPattern } from '../../../src/core/pointer.ts';
import { definition } from '../../../src/oracle/mutations/memory-update.ts';
import { kindOf } from '../kit.ts';

describe('memory-update', () => {
  test('memory-update may touch its own knob and no other, and takes people’s plans only', () => {
    const kind = kindOf(definition);
    const may = (pointer: string) => kind.paths.some((path) => matchesPattern(path, pointer));
    expect(kind.type).toBe('MEMORY_UPDATE');
    expect(kind.risk).toBe('medium');
    expect(Object.hasOwn(kind, 'propose')).toBe(false);
    expect(may('/agents/solo/memory/items')).toBe(true);
    expect(may('/agents/solo/adapter')).toBe(false);
    expect(may('/agents/solo')).toBe(false);
    expect(may('/oracle/safety/min_confidence')).toBe(false);
  });
});
