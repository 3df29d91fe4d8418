import { registryOf } from '../core/definition.ts';
import type { PluginRegistry } from '../core/plugin.ts';
import { definition as loraHotplug } from './lora-hotplug.ts';
import { definition as modelRouter } from './model-router.ts';
import { definition as promptPatcher } from './prompt-patcher.ts';

export const plugins: PluginRegistry = registryOf([loraHotplug, modelRouter, promptPatcher]);
