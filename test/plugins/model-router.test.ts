import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallPatch } from '../../src/core/call.ts';
import { instantiate } from '../../src/core/definition.ts';
import { definition } from '../../src/plugins/model-router.ts';
import { callOf, pluginHost, recordingScope, target } from './recording-scope.ts';

const plugin = instantiate(definition, {}, pluginHost);
type Scope = ReturnType<typeof recordingScope>;
const route = (scope: Scope, pinned: string | null = null) =>
  plugin.onRequest?.(callOf({}, { pinned }), scope) as CallPatch | undefined;

describe('model router', () => {
  test('model router puts the choice first, then its own by weight, then fallbacks', () => {
    const targets = [
      target('spare', { fallback_only: true, weight: 9 }),
      target('small', { weight: 0.1 }),
      target('big', { weight: 0.6 }),
      target('middle', { weight: 0.3 }),
    ];
    expect(route(recordingScope({ targets }, { fraction: 0.05 }))?.targets).toEqual([
      'small',
      'big',
      'middle',
      'spare',
    ]);
    expect(route(recordingScope({ targets }, { fraction: 0.5 }))?.targets?.[0]).toBe('big');
  });

  test('model router offers fallbacks only where there is nothing else', () => {
    const spare = target('spare', { fallback_only: true, weight: 0 });
    const both = recordingScope({ targets: [target('own'), spare] });
    route(both);
    expect(both.choices[0]?.options).toEqual(['own']);
    const alone = recordingScope({ targets: [spare] });
    expect(route(alone)?.targets).toEqual(['spare']);
  });

  test('model router excludes what is not healthy, unless nothing is', () => {
    const targets = [target('a', { weight: 1 }), target('b', { weight: 0 })];
    const one = recordingScope({ targets }, { down: ['a'] });
    expect(route(one)?.targets).toEqual(['b', 'a']);
    expect(one.choices[0]?.excluded).toEqual(['a']);
    const none = recordingScope({ targets }, { down: ['a', 'b'] });
    expect(route(none)?.targets).toEqual(['a', 'b']);
    expect(none.choices[0]?.excluded).toEqual([]);
  });

  test('model router chooses evenly where no target has a weight', () => {
    const targets = [target('a', { weight: 0 }), target('b', { weight: 0 })];
    expect(route(recordingScope({ targets }, { fraction: 0.49 }))?.targets?.[0]).toBe('a');
    expect(route(recordingScope({ targets }, { fraction: 0.51 }))?.targets?.[0]).toBe('b');
  });

  test('model router obeys a pin without a choice', () => {
    const scope = recordingScope({ targets: [target('a'), target('b')] });
    expect(route(scope, 'b')?.targets).toEqual(['b']);
    expect(scope.choices).toEqual([]);
  });

  test('model router has nothing to say for an agent without targets', () => {
    expect(route(recordingScope({}))).toBeUndefined();
  });

  test('model router refuses options that it does not know', () => {
    expect(() => instantiate(definition, { strategy: 'best' }, pluginHost)).toThrow();
    expect(() => instantiate(definition, { strategy: 'fixed' }, pluginHost)).toThrow();
    expect(() =>
      instantiate(
        definition,
        { strategy: 'rules', rules: [{ when: 'call.nothing == 1', target: 'a' }] },
        pluginHost,
      ),
    ).toThrow(/nothing/);
    expect(() => instantiate(definition, { weights: 1 }, pluginHost)).toThrow();
  });

  test('model router names every target once, a healthy one first where its own has one', () => {
    const oneTarget = fc.record({
      weight: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5, noNaN: true })),
      fallback_only: fc.boolean(),
      down: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(oneTarget, { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (list, fraction) => {
          const targets = list.map((each, index) => target(`t${index}`, each));
          const down = targets.filter((_, index) => list[index]?.down).map(({ name }) => name);
          const order = route(recordingScope({ targets }, { fraction, down }))?.targets ?? [];
          expect([...order].sort()).toEqual(targets.map(({ name }) => name).sort());
          const own = targets.some((each) => !each.fallback_only)
            ? targets.filter((each) => !each.fallback_only)
            : targets;
          const first = order[0] ?? '';
          expect(own.map(({ name }) => name)).toContain(first);
          if (own.some(({ name }) => !down.includes(name))) expect(down).not.toContain(first);
        },
      ),
    );
  });
});
