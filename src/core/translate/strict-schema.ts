import type { Json, JsonObject } from '../canonical.ts';
import { isObject, textIn } from '../json-values.ts';

/** Deeper ones are taken as they are: nobody writes them, and they would cost their own depth. */
const DEPTH_MAX = 64;

/**
 * Whether OpenAI would take as `strict` a JSON schema that Anthropic takes so: each of its objects,
 * which both want closed, requires all of its properties, and it has no keyword or format that
 * Anthropic alone knows.
 */
export function isStrict(schema: Json | undefined, depth = 0): boolean {
  if (depth > DEPTH_MAX) return false;
  if (Array.isArray(schema)) {
    return (schema as readonly Json[]).every((one) => isStrict(one, depth + 1));
  }
  if (!isObject(schema)) return true;
  if (!requiresAll(schema) || Object.keys(schema).some((key) => UNKNOWN.has(key))) return false;
  if (typeof schema.format === 'string' && !FORMATS.has(schema.format)) return false;
  return partsOf(schema).every((part) => isStrict(part, depth + 1));
}

/** Of those that Anthropic knows. */
const UNKNOWN: ReadonlySet<string> = new Set(['default', 'allOf']);

/** What OpenAI knows texts to be. */
const FORMATS: ReadonlySet<string> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
]);

/** The schema with each of its objects closed that says nothing of it, as Anthropic demands. */
export function closed(schema: JsonObject): JsonObject {
  return eachIn(schema, (one) => {
    const open = isOfObject(one) && one.additionalProperties === undefined;
    return open ? { ...one, additionalProperties: false } : one;
  });
}

/**
 * The schema without the bounds that Anthropic holds no answer to, and refuses: as its own clients
 * do, they are said in the description, for the model to read.
 */
export function enforced(schema: JsonObject): JsonObject {
  return eachIn(schema, (one) => {
    const fields = Object.entries(one);
    const bounds = fields.filter(([key, value]) => isBound(key, value));
    if (bounds.length === 0) return one;
    const said = `{${bounds.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')}}`;
    const description = [one.description, said].map(textIn).filter((text) => text !== '');
    const kept = Object.fromEntries(fields.filter(([key, value]) => !isBound(key, value)));
    return { ...kept, description: description.join(' ') };
  });
}

const BOUNDS: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
]);

/** A list that may not be empty is the one bound that it knows. */
function isBound(key: string, value: Json): boolean {
  return BOUNDS.has(key) && !(key === 'minItems' && (value === 0 || value === 1));
}

/** The schema with what `make` makes of it and of each schema in it. */
function eachIn(
  schema: JsonObject,
  make: (schema: JsonObject) => JsonObject,
  depth = 0,
): JsonObject {
  if (depth > DEPTH_MAX) return schema;
  const within = (value: Json): Json => {
    if (Array.isArray(value)) return (value as readonly Json[]).map(within);
    return isObject(value) ? eachIn(value, make, depth + 1) : value;
  };
  const parts = Object.entries(schema).map(([key, value]): readonly [string, Json] => {
    if (!NAMED.has(key) || !isObject(value)) return [key, PARTS.has(key) ? within(value) : value];
    const named = Object.entries(value).map(([name, part]) => [name, within(part)] as const);
    return [key, Object.fromEntries(named)];
  });
  return make(Object.fromEntries(parts));
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
