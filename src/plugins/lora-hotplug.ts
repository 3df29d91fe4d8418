import { z } from 'zod';
import type { Call, CallPatch } from '../core/call.ts';
import type { PluginDefinition, Scope } from '../core/plugin.ts';

const Options = z.strictObject({});

export type LoraHotplugOptions = z.output<typeof Options>;

export const definition: PluginDefinition<LoraHotplugOptions> = {
  name: 'lora-hotplug',
  summary: 'Asks the engine for the agent’s LoRA adapter; where there is none, the base answers.',
  options: Options,
  metrics: ['hive_adapters_applied_total', 'hive_adapters_skipped_total'],
  create: () => ({ onRequest: askForAdapter }),
};

/**
 * Whether the adapter was applied is for the engine's answer to prove; this only asks, or says why
 * not.
 */
function askForAdapter(_call: Call, scope: Scope): CallPatch | undefined {
  const { entry, targets, lora_hotplug } = scope.agent;
  if (entry.adapter === 'none') return undefined;
  if (!lora_hotplug) return noAdapter(scope, 'off', 'switched off');
  const known = targets.some((target) => target.adapters.includes(entry.adapter));
  if (!known) return noAdapter(scope, 'unknown', `no target has the adapter ${entry.adapter}`);
  return { adapter: entry.adapter };
}

function noAdapter(scope: Scope, marker: string, reason: string): undefined {
  scope.note('lora-hotplug', reason);
  scope.mark(`lora-hotplug:${marker}`);
  return undefined;
}
