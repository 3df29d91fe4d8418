import { dirname, resolve } from 'node:path';
import { type Policy, providerOptions } from '../core/policy.ts';
import type { EngineSpec, ProviderRegistry } from '../core/provider.ts';

/**
 * The models that the embedded engine is to serve under this policy, by provider name, with
 * absolute paths. Empty where no provider is embedded: then no engine is started.
 */
export function enginesOf(
  policy: Policy,
  providers: ProviderRegistry,
  policies_dir: string,
): Readonly<Record<string, EngineSpec>> {
  const base = dirname(policies_dir);
  const specs: Record<string, EngineSpec> = {};
  for (const [name, entry] of Object.entries(policy.providers)) {
    const definition = providers.get(entry.use);
    if (!definition?.engine) continue;
    const spec = definition.engine(definition.options.parse(providerOptions(entry)) as never);
    const adapters = Object.entries(spec.adapters);
    specs[name] = {
      ...spec,
      model: resolve(base, spec.model),
      adapters: Object.fromEntries(adapters.map(([id, path]) => [id, resolve(base, path)])),
    };
  }
  return specs;
}
