import type { Json, JsonObject } from '../canonical.ts';
import { isObject } from '../json-values.ts';

/** Deeper ones are taken as they are: nobody writes them, and they would cost their own depth. */
const DEPTH_MAX = 64;

/**
 * Whether OpenAI would take as `strict` a JSON schema that Anthropic takes so: each of its objects,
 * which both want closed, requires all of its properties.
 */
export function isStrict(schema: Json | undefined, depth = 0): boolean {
  if (depth > DEPTH_MAX) return false;
  if (Array.isArray(schema)) {
    return (schema as readonly Json[]).every((one) => isStrict(one, depth + 1));
  }
  if (!isObject(schema)) return true;
  if (!requiresAll(schema)) return false;
  return partsOf(schema).every((part) => isStrict(part, depth + 1));
}

/** The schema with each of its objects closed that says nothing of it, as Anthropic demands. */
export function closed(schema: JsonObject, depth = 0): JsonObject {
  if (depth > DEPTH_MAX) return schema;
  const within = (value: Json): Json => {
    if (Array.isArray(value)) return (value as readonly Json[]).map(within);
    return isObject(value) ? closed(value, depth + 1) : value;
  };
  const made: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (NAMED.has(key) && isObject(value)) {
      const parts = Object.entries(value).map(([name, part]) => [name, within(part)] as const);
      made[key] = Object.fromEntries(parts);
    } else made[key] = PARTS.has(key) ? within(value) : value;
  }
  const open = isOfObject(schema) && schema.additionalProperties === undefined;
  return open ? { ...made, additionalProperties: false } : made;
}

/** Keywords that hold schemas by name, and those that hold one or a list of them. */
const NAMED: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
const PARTS: ReadonlySet<string> = new Set(['items', 'prefixItems', 'anyOf', 'allOf', 'oneOf']);

function partsOf(schema: JsonObject): readonly Json[] {
  return Object.entries(schema).flatMap(([key, value]) => {
    if (NAMED.has(key) && isObject(value)) return Object.values(value);
    return PARTS.has(key) ? [value] : [];
  });
}

function isOfObject({ type, properties }: JsonObject): boolean {
  const types = Array.isArray(type) ? (type as readonly Json[]) : [type];
  return types.includes('object') || isObject(properties);
}

function requiresAll({ properties, required }: JsonObject): boolean {
  const names = isObject(properties) ? Object.keys(properties) : [];
  const given = Array.isArray(required) ? (required as readonly Json[]) : [];
  return names.every((name) => given.includes(name));
}
