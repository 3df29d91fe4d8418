import type { Json, JsonObject } from './canonical.ts';
import { parseExactBytes } from './exact-json.ts';
import { isObject } from './json-values.ts';
import type { ProviderRequest } from './provider.ts';

/**
 * The client's body with the patch in it, each number as the client wrote it, also in what a
 * patched list still has of the client's.
 */
export function patchedBody({ call, patch }: Pick<ProviderRequest, 'call' | 'patch'>): JsonObject {
  const parsed = parseExactBytes(call.raw);
  const body: Record<string, Json> = isObject(parsed) ? { ...parsed } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete body[field];
    else body[field] = exactly(value, call.body[field], body[field]);
  }
  return body;
}

/** Plugins know the client's values by what a plain parser made of them. */
function exactly(value: Json, original: Json | undefined, exact: Json | undefined): Json {
  if (!Array.isArray(value) || !Array.isArray(original) || !Array.isArray(exact)) return value;
  const places = new Map((original as readonly Json[]).map((one, at) => [one, at]));
  return (value as readonly Json[]).map((one) => {
    const at = typeof one === 'object' && one !== null ? places.get(one) : undefined;
    return at === undefined ? one : (exact[at] as Json);
  });
}
