import { CATALOGUE } from '../core/catalogue.ts';
import { registryOf } from '../core/definition.ts';
import { hostDefinition } from '../core/host-definition.ts';
import type { AnyProviderDefinition, ProviderRegistry } from '../core/provider.ts';
import { definition as anthropic } from './anthropic.ts';
import { definition as azureOpenai } from './azure-openai.ts';
import { definition as embedded } from './embedded.ts';
import { definition as ollama } from './ollama.ts';
import { definition as openai } from './openai.ts';
import { definition as vllm } from './vllm.ts';

const definitions: readonly AnyProviderDefinition[] = [
  anthropic,
  azureOpenai,
  embedded,
  ollama,
  openai,
  vllm,
  ...CATALOGUE.map(hostDefinition),
];

export const providers = registryOf(definitions) as ProviderRegistry;
