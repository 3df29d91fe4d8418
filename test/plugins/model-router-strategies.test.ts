import { describe, expect, test } from 'vitest';
import type { CallPatch } from '../../src/core/call.ts';
import { instantiate } from '../../src/core/definition.ts';
import type { Plugin, PluginHost } from '../../src/core/plugin.ts';
import { encodeFeatures } from '../../src/core/routing/call-context.ts';
import { fitContext } from '../../src/core/routing/context-fit.ts';
import {
  createFigures,
  type LiveFigures,
  observeAnswer,
  observeAttempt,
  observeFirstByte,
} from '../../src/core/routing/live-figures.ts';
import { promptFeatures } from '../../src/core/routing/prompt-features.ts';
import { definition } from '../../src/plugins/model-router.ts';
import { callOf, pluginHost, recordingScope, target } from './recording-scope.ts';

const targets = [target('a', { weight: 1 }), target('b', { weight: 3 }), target('c')];
const router = (options: object, host: PluginHost = pluginHost): Plugin =>
  instantiate(definition, options, host);
const routed = (
  plugin: Plugin,
  scope = recordingScope({ targets }),
  call = callOf({ messages: [] }),
): readonly string[] | undefined =>
  (plugin.onRequest?.(call, scope) as CallPatch | undefined)?.targets;
const first = (...args: Parameters<typeof routed>): string | undefined => routed(...args)?.[0];

function keepingHost(): PluginHost {
  const kept = new Map<string, unknown>();
  return {
    ...pluginHost,
    keep<Value>(id: string, make: () => Value): Value {
      if (!kept.has(id)) kept.set(id, make());
      return kept.get(id) as Value;
    },
  };
}

describe('model router strategies', () => {
  test('fixed asks its target, and the others by weight while it is not well', () => {
    const plugin = router({ strategy: 'fixed', target: 'c' });
    expect(routed(plugin)).toEqual(['c', 'b', 'a']);
    expect(first(plugin, recordingScope({ targets }, { down: ['c'], fraction: 0.5 }))).toBe('b');
  });

  test('round-robin takes turns, and keeps its turn when a setting is swapped', () => {
    const host = keepingHost();
    const before = router({ strategy: 'round-robin' }, host);
    expect([first(before), first(before)]).toEqual(['a', 'b']);
    const after = router({ strategy: 'round-robin', explore: 0.1 }, host);
    expect([first(after), first(after)]).toEqual(['c', 'a']);
  });

  test('least-in-flight weighs the load of a target by its weight', () => {
    const plugin = router({ strategy: 'least-in-flight' });
    const busy = (in_flight: Record<string, number>) => recordingScope({ targets }, { in_flight });
    expect(first(plugin, busy({ a: 0, b: 1, c: 0 }))).toBe('b');
    expect(first(plugin, busy({ a: 0, b: 9, c: 1 }))).toBe('a');
  });

  test('cheapest takes the lowest price that is good enough, and the best where none is', () => {
    const facts = {
      a: { input_usd: 1, output_usd: 2, quality: 0.6 },
      b: { input_usd: 10, output_usd: 30, quality: 0.9 },
      c: { input_usd: 3, output_usd: 9, quality: 0.8 },
    };
    expect(first(router({ strategy: 'cheapest', facts }))).toBe('a');
    expect(first(router({ strategy: 'cheapest', facts, quality_min: 0.7 }))).toBe('c');
    expect(first(router({ strategy: 'cheapest', facts, quality_min: 0.95 }))).toBe('b');
  });

  test('rules take the first condition that holds, and the weights where none does', () => {
    const plugin = router({
      strategy: 'rules',
      rules: [
        { when: 'call.tools > 0', target: 'c' },
        { when: 'call.tokens_in > 100', target: 'a' },
      ],
    });
    expect(first(plugin, undefined, callOf({ tools: [{}], messages: [] }))).toBe('c');
    expect(first(plugin, undefined, callOf({ messages: ['x'.repeat(800)] }))).toBe('a');
    const scope = recordingScope({ targets }, { fraction: 0.5 });
    expect(first(plugin, scope)).toBe('b');
    expect(scope.choices[0]?.probabilities).toEqual([1, 3, 1]);
  });

  test('a target that cannot see, call tools or hold the prompt is last, if any can', () => {
    const facts = { b: { vision: false, tools: false, context_tokens: 50 } };
    const plugin = router({ facts });
    const image = { role: 'user', content: [{ type: 'image_url' }] };
    const scope = () => recordingScope({ targets }, { fraction: 0.5 });
    expect(first(plugin, scope(), callOf({ messages: [] }))).toBe('b');
    expect(routed(plugin, scope(), callOf({ messages: [image] }))?.at(-1)).toBe('b');
    expect(routed(plugin, scope(), callOf({ tools: [{}] }))?.at(-1)).toBe('b');
    expect(routed(plugin, scope(), callOf({ messages: ['x'.repeat(999)] }))?.at(-1)).toBe('b');
    const alone = router({
      facts: { a: { vision: false }, b: { vision: false }, c: { vision: false } },
    });
    expect(first(alone, scope(), callOf({ messages: [image] }))).toBe('b');
  });

  const seen = (took: Readonly<Record<string, number>>, failing: readonly string[] = []) =>
    Object.fromEntries(
      Object.entries(took).map(([name, ms]) => {
        const figures = createFigures();
        observeFirstByte(figures, true, 0, ms);
        observeAttempt(figures, !failing.includes(name), 0);
        return [name, figures] as const;
      }),
    );
  const streamed = (bytes: number) => callOf({ messages: ['x'.repeat(bytes)] }, { stream: true });

  test('fastest asks who was never asked, then who begins soonest, whatever the size', () => {
    const plugin = router({ strategy: 'fastest', explore: 0 });
    const of = (figures: Readonly<Record<string, LiveFigures>>, bytes: number) =>
      first(plugin, recordingScope({ targets }, { figures }), streamed(bytes));
    expect(of(seen({ a: 100, b: 50 }), 10)).toBe('c');
    const known = seen({ a: 300, b: 100, c: 200 });
    expect(of(known, 10)).toBe('b');
    expect(of(known, 50_000)).toBe('b');
    observeFirstByte(known.b as LiveFigures, true, 2, 5000);
    expect(of(known, 50_000)).toBe('c');
    expect(of(known, 10)).toBe('b');
  });

  test('fastest leaves a target that fails, and gives the others their share of exploring', () => {
    const plugin = router({ strategy: 'fastest', explore: 0.3 });
    const figures = seen({ a: 40, b: 50, c: 80 }, ['a']);
    const scope = recordingScope({ targets }, { figures });
    first(plugin, scope, streamed(10));
    const [choice] = scope.choices;
    for (const [at, p] of [0.1, 0.8, 0.1].entries()) {
      expect(choice?.probabilities[at]).toBeCloseTo(p, 12);
    }
  });

  test('cheapest counts in how long a target’s answers usually are, by its own price', () => {
    const plugin = router({ strategy: 'cheapest' });
    const prices = {
      a: { input_usd: 1, output_usd: 1 },
      b: { input_usd: 1.2, output_usd: 1.2 },
    };
    const call = callOf({ messages: ['x'.repeat(4000)] });
    expect(first(plugin, recordingScope({ targets }, { prices }), call)).toBe('a');
    const talkative = createFigures();
    observeAnswer(talkative, null, 5000);
    const scope = recordingScope({ targets }, { prices, figures: { a: talkative } });
    expect(first(plugin, scope, call)).toBe('b');
  });

  test('cascade asks the cheapest first and those above it in their order', () => {
    const prices = {
      a: { input_usd: 3, output_usd: 9 },
      b: { input_usd: 1, output_usd: 2 },
    };
    const byPrice = recordingScope({ targets }, { prices });
    expect(routed(router({ strategy: 'cascade' }), byPrice)).toEqual(['b', 'a', 'c']);
    const cascade = { order: ['c', 'nobody', 'a'] };
    const named = router({ strategy: 'cascade', cascade });
    expect(routed(named, recordingScope({ targets }))).toEqual(['c', 'a', 'b']);
    expect(routed(named, recordingScope({ targets }, { down: ['c'] }))).toEqual(['a', 'b', 'c']);
  });
});

describe('model router that has learned', () => {
  const table = { targets: ['a', 'b', 'c'], by: { '': [0.1, 0.8, 0.1], code: [0.02, 0.02, 0.96] } };
  const learnedHost: PluginHost = { ...pluginHost, routes: () => ({ epoch: 7, table }) };

  test('bandit samples the category’s shares and records whose they are and of which epoch', () => {
    const plugin = router({ strategy: 'bandit' }, learnedHost);
    const code = recordingScope({ targets }, { fraction: 0.5, category: 'code' });
    expect(routed(plugin, code)).toEqual(['c', 'b', 'a']);
    expect(code.choices[0]).toMatchObject({
      probabilities: [0.02, 0.02, 0.96],
      drawn: { epoch: 7, category: 'code' },
    });
    const other = recordingScope({ targets }, { fraction: 0.5 });
    expect(first(plugin, other)).toBe('b');
    expect(other.choices[0]?.probabilities).toEqual([0.1, 0.8, 0.1]);
  });

  test('bandit asked to be sticky draws a unit once', () => {
    const plugin = router({ strategy: 'bandit', bandit: { sticky: true } }, learnedHost);
    const scope = recordingScope({ targets });
    first(plugin, scope);
    expect(scope.choices[0]?.drawn?.epoch).toBe(0);
  });

  test('bandit without a table, or with one of other targets, goes by the weights', () => {
    for (const routes of [
      () => null,
      () => ({ epoch: 1, table: { targets: ['z'], by: { '': [1] } } }),
    ]) {
      const scope = recordingScope({ targets }, { fraction: 0.5 });
      expect(first(router({ strategy: 'bandit' }, { ...pluginHost, routes }), scope)).toBe('b');
      expect(scope.choices[0]?.probabilities).toEqual([1, 3, 1]);
    }
  });

  test('linucb and squarecb draw by a call’s features, and record them with exact shares', () => {
    const texts = ['def f(x): return {x: [1]};', 'Where is my parcel?'];
    const samples = Array.from({ length: 300 }, (_, at) => ({
      features: encodeFeatures(promptFeatures(`${texts[at % 2]} ${at % 5}`)),
      category: '',
      target: at % 4 < 2 ? 'a' : 'b',
      reward: Number(at % 2 === (at % 4 < 2 ? 0 : 1)),
    }));
    const { model } = fitContext(samples, ['a', 'b', 'c'], Array(300).fill(1));
    const table = { targets: ['a', 'b', 'c'], by: {}, model };
    const routes = () => ({ epoch: 7, table });
    for (const strategy of ['linucb', 'squarecb']) {
      const plugin = router({ strategy }, { ...pluginHost, routes });
      for (const [kind, text] of texts.entries()) {
        const scope = recordingScope({ targets }, { category: 'code' });
        routed(plugin, scope, callOf({ messages: [{ role: 'user', content: `${text} 3` }] }));
        const [choice] = scope.choices;
        const shares = choice?.probabilities ?? [];
        expect(shares.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.02 - 1e-9);
        expect(shares[kind]).toBeGreaterThan(shares[1 - kind] as number);
        expect(choice?.drawn).toMatchObject({ epoch: 7, category: 'code' });
        expect(choice?.drawn?.features).toHaveLength(88);
      }
      const down = recordingScope({ targets }, { down: ['a'] });
      routed(plugin, down, callOf({ messages: [{ role: 'user', content: texts[0] as string }] }));
      expect(down.choices[0]).toMatchObject({ excluded: ['a'] });
      expect(down.choices[0]?.probabilities[0]).toBe(0);
    }
    const before = recordingScope({ targets });
    routed(router({ strategy: 'linucb' }), before);
    expect(before.choices[0]?.probabilities).toEqual([1, 3, 1]);
    const stop = { strategy: 'linucb', bandit: { stop: { on_proven: 'exploit' } } };
    expect(() => router(stop)).toThrow(/only strategy `bandit` exploits.*write on_proven: report/);
    expect(() => router({ strategy: 'linucb', bandit: { stop: {} } })).not.toThrow();
  });
});
