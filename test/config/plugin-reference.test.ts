import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createHostFactory } from '../../src/config/hosts.ts';
import { pluginReference } from '../../src/config/plugin-reference.ts';
import type { CallPatch } from '../../src/core/call.ts';
import { createClock } from '../../src/core/clock.ts';
import { instantiate, registryOf } from '../../src/core/definition.ts';
import type { Plugin, PluginDefinition, PluginRegistry } from '../../src/core/plugin.ts';
import { plugins } from '../../src/plugins/index.ts';
import { definition as tokenCap } from '../fixtures/plugins/token-cap.ts';
import { callOf, pluginHost, recordingScope } from '../plugins/recording-scope.ts';

const root = join(import.meta.dirname, '../..');
const example = readFileSync(join(root, 'test/fixtures/plugins/token-cap.ts'), 'utf8');
const hosts = createHostFactory({
  clock: createClock({ origin_ms: 0, scale: 1 }),
  engineUrl: () => '',
});
const referenceOf = (some: PluginRegistry): string =>
  pluginReference({ plugins: some, host: (name) => hosts.pluginHost('docs', name), example });

describe('the reference of plugins', () => {
  test('docs/plugins.md is fresh (npm run schemas)', () => {
    expect(readFileSync(join(root, 'docs/plugins.md'), 'utf8')).toBe(referenceOf(plugins));
  });

  test('reference of plugins has each with its options, hooks and metrics', () => {
    const text = referenceOf(plugins);
    for (const name of plugins.keys()) expect(text).toContain(`\n## ${name}\n`);
    expect(text).toContain('Hooks: `onRequest`, `onAnswer` with `strategy: cascade`.');
    expect(text).toMatch(/\| `cascade.chars_min` \| whole number ≥ 0, ≤ 100000 \| `0` \| Char/);
    expect(text).toMatch(/\| `hive_prompts_skipped_total` \| .* By reason. \|/);
    expect(text).toContain('| `budget_ms` |');
  });

  test('reference of plugins shows what a new plugin brings without a word elsewhere', () => {
    const options = z.strictObject({
      mode: z.enum(['off', 'on']).default('off').describe('Whether it does.'),
    });
    const made: PluginDefinition<z.output<typeof options>> = {
      name: 'novel',
      summary: 'Does a new thing.',
      options,
      create: ({ mode }): Plugin =>
        mode === 'on' ? { onChunk: () => undefined } : { onRequestEnd() {} },
    };
    const text = referenceOf(registryOf([made]));
    expect(text).toContain('Does a new thing.');
    expect(text).toContain('Hooks: `onRequestEnd`, `onChunk` with `mode: on`.');
    expect(text).toContain('| `mode` | `off`, `on` | `"off"` | Whether it does. |');
  });

  test('the example of docs/plugins.md does what it says', () => {
    const plugin = instantiate(tokenCap, { max: 100 }, pluginHost);
    const scope = recordingScope({});
    const capped = plugin.onRequest?.(callOf({ max_tokens: 500 }), scope) as CallPatch;
    expect(capped).toEqual({ body: { max_tokens: 100 } });
    expect(scope.notes).toEqual(['max_tokens: lowered to 100']);
    expect(plugin.onRequest?.(callOf({ max_tokens: 99 }), scope)).toBeUndefined();
  });
});
