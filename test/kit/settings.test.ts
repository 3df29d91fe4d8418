import { expect, test } from 'vitest';
import { z } from 'zod';
import { registryOf } from '../../src/core/definition.ts';
import type { PluginDefinition, PluginRegistry } from '../../src/core/plugin.ts';
import { plugins } from '../../src/plugins/index.ts';
import { settingsOf } from './settings.ts';

const texts = { target: 'left', when: 'call.stream' };

test('settings are every option at each value that its schema suggests', () => {
  const options = z
    .strictObject({
      mode: z.enum(['plain', 'named']).default('plain'),
      name: z.string().optional(),
      deep: z.strictObject({ on: z.boolean().default(true) }).prefault({}),
      share: z.number().min(0).max(1).default(0.2),
      rules: z.array(z.strictObject({ when: z.string(), note: z.string().optional() })).default([]),
      by: z.record(z.string(), z.strictObject({ price: z.int().min(1).max(3) })).default({}),
    })
    .refine(({ mode, name }) => mode !== 'named' || name !== undefined, 'needs a name');
  const definition: PluginDefinition<z.output<typeof options>> = {
    name: 'novel',
    summary: 'A plugin of this test.',
    options,
    create: () => ({}),
  };
  const registry: PluginRegistry = registryOf([definition]);
  const [made] = registry.values();
  if (!made) throw new Error('nothing');
  const settings = settingsOf(made, texts);
  expect(settings.map(({ name }) => name)).toEqual([
    'mode="plain"',
    'mode="named"',
    'name="left"',
    'deep.on=true',
    'deep.on=false',
    'share=0',
    'share=1',
    'share=0.2',
    'share=0.5',
    'rules=[]',
    'rules=[{"when":"call.stream"}]',
    'by={}',
    'by={"left":{"price":1}}',
    'by={"left":{"price":3}}',
    'by={"left":{"price":2}}',
  ]);
  expect(settings[1]?.options).toEqual({ mode: 'named', name: 'left' });
});

test('settings of every plugin that there is are found, and are accepted', () => {
  for (const definition of plugins.values()) {
    for (const { options } of settingsOf(definition, texts)) {
      expect(definition.options.safeParse(options).success).toBe(true);
    }
  }
  const router = plugins.get('model-router');
  const names = router ? settingsOf(router, texts).map(({ name }) => name) : [];
  expect(names).toContain('strategy="fixed"');
  expect(names).toContain('cascade.checks=["language"]');
  expect(names).toContain('bandit.discount=0.9');
});
