import type { Json } from './canonical.ts';
import { isObject } from './json-values.ts';

/** A JSON pointer (RFC 6901) as its reference tokens; the empty pointer is the whole document. */
export function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new TypeError(`not a JSON pointer: ${pointer}`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function formatPointer(tokens: readonly string[]): string {
  return tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * The value at a pointer, or undefined where the path ends early. Arrays are leaves: no indices.
 */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const token of parsePointer(pointer)) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, token)) return undefined;
    value = (value as Record<string, unknown>)[token];
  }
  return value;
}

/** Whether one pointer is the other, or lies above it: the two then touch the same knob. */
export function overlaps(left: string, right: string): boolean {
  return left === right || left.startsWith(`${right}/`) || right.startsWith(`${left}/`);
}

/** Whether a pointer fits a pattern in which `*` stands for one whole token. */
export function matchesPattern(pattern: string, pointer: string): boolean {
  const wanted = parsePointer(pattern);
  const tokens = parsePointer(pointer);
  return (
    wanted.length === tokens.length &&
    wanted.every((token, index) => token === '*' || token === tokens[index])
  );
}

/**
 * JSON Merge Patch (RFC 7396): null removes a key, an object merges, all else replaces. Returns a
 * new value that shares what did not change; neither input is touched.
 */
export function mergePatch(target: unknown, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue;
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** The pointers of the leaves that a merge patch writes: what a row `touches`. */
export function touchedPointers(patch: Json, above: readonly string[] = []): readonly string[] {
  if (!isObject(patch) || Object.keys(patch).length === 0) return [formatPointer(above)];
  return Object.entries(patch).flatMap(([key, value]) => touchedPointers(value, [...above, key]));
}
