import type { Json } from '../core/canonical.ts';
import { mergePatch, parsePointer, valueAt } from '../core/pointer.ts';
import type { Policy } from '../core/policy.ts';
import type { PolicyOverride } from './env.ts';
import type { Located } from './origins.ts';

/**
 * Environment variables win over `safety`. That approval is required for high risk only ever adds
 * to what the file asks for: where the file already asks from a lower risk on, it stands.
 */
export function applyOverrides(
  policy: Policy,
  overrides: readonly PolicyOverride[],
  locate: (tokens: readonly string[]) => Located,
): {
  readonly policy: Policy;
  readonly applied: readonly PolicyOverride[];
  readonly notices: readonly string[];
} {
  let result = policy;
  const applied: PolicyOverride[] = [];
  const notices: string[] = [];
  for (const override of overrides) {
    const { variable, value, pointer, parsed } = override;
    const old = valueAt(result, pointer);
    if (variable === 'REQUIRE_APPROVAL_FOR_HIGH_RISK' && parsed === 'high' && old !== 'none') {
      continue;
    }
    applied.push(override);
    const tokens = parsePointer(pointer);
    const patch = tokens.reduceRight<Json>((inner, token) => ({ [token]: inner }), parsed);
    result = mergePatch(result, patch) as unknown as Policy;
    const { name, path, written } = locate(tokens);
    const where = written ? `of ${name}` : 'by default';
    notices.push(`${variable}=${value} wins over ${path.join('.')} (${String(old)} ${where})`);
  }
  return { policy: result, applied, notices };
}
