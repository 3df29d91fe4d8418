import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallPatch } from '../../src/core/call.ts';
import { instantiate } from '../../src/core/definition.ts';
import type { AgentView } from '../../src/core/plugin.ts';
import { definition } from '../../src/plugins/lora-hotplug.ts';
import { callOf, pluginHost, recordingScope, target } from './recording-scope.ts';

const plugin = instantiate(definition, {}, pluginHost);

function ask(adapter: string, more: Partial<AgentView> = {}) {
  const entry = { targets: {}, adapter, params: {}, plugins: {} };
  const targets = [target('mini'), target('demo', { adapters: ['upper', 'reverse'] })];
  const scope = recordingScope({ entry, targets, ...more });
  const patch = plugin.onRequest?.(callOf({}), scope) as CallPatch | undefined;
  return { patch, notes: scope.notes, marks: scope.marks };
}

describe('lora hotplug', () => {
  test('lora hotplug asks for the agent’s adapter where a target has it', () => {
    expect(ask('upper')).toEqual({ patch: { adapter: 'upper' }, notes: [], marks: [] });
  });

  test('lora hotplug is silent for an agent without an adapter', () => {
    expect(ask('none')).toEqual({ patch: undefined, notes: [], marks: [] });
    expect(ask('none', { lora_hotplug: false }).notes).toEqual([]);
  });

  test('lora hotplug says that it is switched off, and asks for nothing', () => {
    expect(ask('upper', { lora_hotplug: false })).toEqual({
      patch: undefined,
      notes: ['lora-hotplug: switched off'],
      marks: ['lora-hotplug:off'],
    });
  });

  test('lora hotplug says that no target has the adapter, and asks for nothing', () => {
    expect(ask('lower')).toEqual({
      patch: undefined,
      notes: ['lora-hotplug: no target has the adapter lower'],
      marks: ['lora-hotplug:unknown'],
    });
  });

  test('lora hotplug takes no options', () => {
    expect(() => instantiate(definition, { scale: 0.5 }, pluginHost)).toThrow();
  });

  test('lora hotplug either asks for the very adapter or says why not, never both', () => {
    const name = fc.constantFrom('none', 'upper', 'reverse', 'x');
    fc.assert(
      fc.property(name, fc.array(fc.array(name)), fc.boolean(), (adapter, lists, on) => {
        const targets = lists.map((adapters, index) => target(`t${index}`, { adapters }));
        const { patch, notes } = ask(adapter, { targets, lora_hotplug: on });
        if (adapter === 'none') expect(patch ?? notes[0]).toBeUndefined();
        else
          expect([patch?.adapter === adapter, notes.length === 1].filter(Boolean)).toHaveLength(1);
      }),
    );
  });
});
