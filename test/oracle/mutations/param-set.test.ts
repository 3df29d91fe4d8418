import { describe, expect, test } from 'vitest';
import { matchesPattern } from '../../../src/core/pointer.ts';
import { definition } from '../../../src/oracle/mutations/param-set.ts';
import { kindOf } from '../kit.ts';

describe('param-set', () => {
  test('param-set may touch its own knob and no other, and takes people’s plans only', () => {
    const kind = kindOf(definition);
    const may = (pointer: string) => kind.paths.some((path) => matchesPattern(path, pointer));
    expect(kind.type).toBe('PARAM_SET');
    expect(kind.risk).toBe('low');
    expect(Object.hasOwn(kind, 'propose')).toBe(false);
    expect(may('/agents/solo/params/temperature')).toBe(true);
    expect(may('/agents/solo/adapter')).toBe(false);
    expect(may('/agents/solo')).toBe(false);
    expect(may('/oracle/safety/min_confidence')).toBe(false);
  });
});
