import type { LeafHost } from '../core/definition.ts';

/** State that survives a swap is kept by name; there are no swaps within a loop. */
export function createHost(policy_ms: () => number): LeafHost {
  const kept = new Map<string, unknown>();
  return {
    keep<Value>(id: string, make: () => Value): Value {
      if (!kept.has(id)) kept.set(id, make());
      return kept.get(id) as Value;
    },
    monotonic_ms: policy_ms,
    policy_ms,
  };
}
