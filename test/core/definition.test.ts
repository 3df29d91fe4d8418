import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Definition, instantiate, registryOf } from '../../src/core/definition.ts';

const doubler: Definition<{ factor: number }, null, (value: number) => number> = {
  name: 'doubler',
  summary: 'Multiplies.',
  options: z.strictObject({ factor: z.number().default(2) }),
  create: (options) => (value) => value * options.factor,
};

describe('definitions', () => {
  test('instantiate parses the options, with their defaults, before it creates', () => {
    expect(instantiate(doubler, undefined, null)(3)).toBe(6);
    expect(instantiate(doubler, { factor: 5 }, null)(3)).toBe(15);
    expect(() => instantiate(doubler, { facto: 5 }, null)).toThrow('facto');
  });

  test('a registry finds by name and refuses two definitions of one name', () => {
    expect(registryOf([doubler]).get('doubler')).toBe(doubler);
    expect(() => registryOf([doubler, doubler])).toThrow('share a name');
  });
});
