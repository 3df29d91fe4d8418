import type { Json } from '../core/canonical.ts';
import { type Policy, type ProviderEntry, providerOptions } from '../core/policy.ts';
import type { ProviderRegistry } from '../core/provider.ts';
import type { Environment } from './env.ts';
import { secretVariable } from './expand.ts';

/**
 * Providers whose key is not set, with the variable that is missing. They are absent rather than
 * wrong, so that one policy serves a machine with keys and one without.
 */
export function absentProviders(
  policy: Policy,
  providers: ProviderRegistry,
  environment: Pick<Environment, 'secret'>,
): ReadonlyMap<string, string> {
  const absent = new Map<string, string>();
  for (const [name, entry] of Object.entries(policy.providers)) {
    for (const key of providers.get(entry.use)?.secrets ?? []) {
      const variable = secretVariable(entry[key]);
      if (variable !== null && !environment.secret(variable)) absent.set(name, variable);
    }
  }
  return absent;
}

/** A provider's options with its secrets in them: for `create` alone, never for the policy. */
export function withSecrets(
  entry: ProviderEntry,
  secrets: readonly string[],
  environment: Pick<Environment, 'secret'>,
): Readonly<Record<string, Json>> {
  const resolved: Record<string, Json> = { ...providerOptions(entry) };
  for (const key of secrets) {
    const variable = secretVariable(resolved[key]);
    if (variable !== null) resolved[key] = environment.secret(variable) ?? '';
  }
  return resolved;
}
