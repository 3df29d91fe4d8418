import { registryOf } from '../../core/definition.ts';
import type { MutationRegistry } from '../../core/oracle.ts';
import { definition as loraApply } from './lora-apply.ts';
import { definition as memoryUpdate } from './memory-update.ts';
import { definition as modelSwap } from './model-swap.ts';
import { definition as paramSet } from './param-set.ts';
import { definition as promptPatch } from './prompt-patch.ts';
import { definition as routeChange } from './route-change.ts';

/** In the order in which the oracle asks them for a proposal: an adapter before words. */
export const mutations: MutationRegistry = registryOf([
  loraApply,
  promptPatch,
  modelSwap,
  routeChange,
  paramSet,
  memoryUpdate,
]);
