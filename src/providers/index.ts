import { registryOf } from '../core/definition.ts';
import type { AnyProviderDefinition, ProviderRegistry } from '../core/provider.ts';
import { definition as embedded } from './embedded.ts';
import { definition as openai } from './openai.ts';

const definitions: readonly AnyProviderDefinition[] = [embedded, openai];

export const providers = registryOf(definitions) as ProviderRegistry;
