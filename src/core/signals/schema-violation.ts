import type { Call } from '../call.ts';
import type { Json, JsonObject } from '../canonical.ts';
import type { SchemaViolation } from '../event.ts';
import { isObject, parseText } from '../json-values.ts';

/**
 * What a call asks its answer to be. `schema` is null for JSON of any shape (`json_object`).
 */
export interface AskedFormat {
  readonly schema: JsonObject | null;
}

/** Answers longer than this are not checked, in UTF-16 units. */
export const CHECKED_CHARS_MAX = 64 * 1024;
const DEPTH_MAX = 32;
/** Values looked at in one answer, so that a schema of many branches cannot take long. */
const STEPS_MAX = 5000;

/** The format that a call of any dialect asks for, or null. */
export function askedFormat({ body }: Pick<Call, 'body'>): AskedFormat | null {
  const text = isObject(body.text) ? body.text.format : undefined;
  const config = isObject(body.output_config) ? body.output_config.format : undefined;
  const format = body.response_format ?? text ?? config ?? body.output_format;
  if (!isObject(format)) return null;
  if (format.type === 'json_object') return { schema: null };
  if (format.type !== 'json_schema') return null;
  const named = isObject(format.json_schema) ? format.json_schema.schema : undefined;
  const schema = named ?? format.schema;
  return { schema: isObject(schema) ? schema : null };
}

/**
 * What is wrong with an answer that was to be JSON, or null. Checked of a schema: `type`, `enum`,
 * `const`, `required`, `properties`, `additionalProperties`, `items`, `minItems`, `maxItems`,
 * `minLength`, `maxLength`, `minimum`, `maximum`, their exclusive forms, `anyOf`, `oneOf`, `allOf`
 * and `$ref` within the schema. All else holds: what cannot be checked is never a violation.
 */
export function schemaViolation(text: string, { schema }: AskedFormat): SchemaViolation | null {
  if (text.length > CHECKED_CHARS_MAX) return null;
  const value = parseText(text);
  if (value === undefined) return 'not_json';
  if (schema === null) return isObject(value) ? null : 'not_json';
  return new Checker(schema).check(value, schema, 0);
}

class Checker {
  readonly #root: JsonObject;
  #steps = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  check(value: Json, schema: Json | undefined, depth: number): SchemaViolation | null {
    if (!isObject(schema) || depth > DEPTH_MAX) return null;
    this.#steps += stepsOf(schema);
    if (this.#steps > STEPS_MAX) return null;
    if (typeof schema.$ref === 'string') {
      return this.check(value, pointedAt(this.#root, schema.$ref), depth + 1);
    }
    return (
      typeViolation(value, schema) ??
      this.#options(value, schema) ??
      boundsViolation(value, schema) ??
      this.#members(value, schema, depth) ??
      this.#elements(value, schema, depth) ??
      this.#branches(value, schema, depth)
    );
  }

  #options(value: Json, schema: JsonObject): SchemaViolation | null {
    if (schema.const !== undefined && !this.#isAmong(value, [schema.const])) return 'enum';
    const options = Array.isArray(schema.enum) ? (schema.enum as readonly Json[]) : null;
    return options && !this.#isAmong(value, options) ? 'enum' : null;
  }

  #isAmong(value: Json, options: readonly Json[]): boolean {
    if (options.includes(value)) return true;
    if (typeof value !== 'object' || value === null) return false;
    const text = JSON.stringify(value);
    return options.some((option) => {
      if (typeof option !== 'object' || option === null) return false;
      const other = JSON.stringify(option);
      this.#steps += other.length >> TEXT_BITS;
      return other === text;
    });
  }

  #members(value: Json, schema: JsonObject, depth: number): SchemaViolation | null {
    if (!isObject(value)) return null;
    const required = Array.isArray(schema.required) ? (schema.required as readonly Json[]) : [];
    for (const name of required) {
      if (typeof name === 'string' && !Object.hasOwn(value, name)) return 'required';
    }
    const properties = isObject(schema.properties) ? schema.properties : {};
    for (const [name, member] of Object.entries(value)) {
      const known = Object.hasOwn(properties, name);
      if (!known && schema.additionalProperties === false) {
        if (schema.patternProperties === undefined) return 'additional';
        continue;
      }
      const rule = known ? properties[name] : schema.additionalProperties;
      const wrong = this.check(member, rule, depth + 1);
      if (wrong) return wrong;
    }
    return null;
  }

  #elements(value: Json, schema: JsonObject, depth: number): SchemaViolation | null {
    if (!Array.isArray(value)) return null;
    const { minItems, maxItems, items, prefixItems } = schema;
    if (typeof minItems === 'number' && value.length < minItems) return 'bounds';
    if (typeof maxItems === 'number' && value.length > maxItems) return 'bounds';
    if (prefixItems !== undefined) return null;
    for (const element of value as readonly Json[]) {
      const wrong = this.check(element, items, depth + 1);
      if (wrong) return wrong;
    }
    return null;
  }

  #branches(value: Json, schema: JsonObject, depth: number): SchemaViolation | null {
    for (const branches of [schema.anyOf, schema.oneOf]) {
      if (!Array.isArray(branches) || branches.length === 0) continue;
      let first: SchemaViolation | null = null;
      const held = (branches as readonly Json[]).some((branch) => {
        const wrong = this.check(value, branch, depth + 1);
        first ??= wrong;
        return wrong === null;
      });
      if (!held) return first;
    }
    const all = Array.isArray(schema.allOf) ? (schema.allOf as readonly Json[]) : [];
    for (const branch of all) {
      const wrong = this.check(value, branch, depth + 1);
      if (wrong) return wrong;
    }
    return null;
  }
}

function typeViolation(value: Json, schema: JsonObject): SchemaViolation | null {
  const { type } = schema;
  const types = typeof type === 'string' ? [type] : Array.isArray(type) ? type : null;
  return types && !types.some((one) => isOfType(value, one)) ? 'type' : null;
}

/**
 * One, and those that looking through its lists and its reference takes: they are the client's, and
 * a million options would be looked through for each element of an answer.
 */
function stepsOf({ type, enum: options, required, $ref }: JsonObject): number {
  const listed = lengthOf(type) + lengthOf(options) + lengthOf(required);
  const referred = typeof $ref === 'string' ? $ref.length >> TEXT_BITS : 0;
  return 1 + (listed >> LIST_BITS) + referred;
}

/** So many members, and units of a text, by the power of two, take as long as a step. */
const LIST_BITS = 4;
const TEXT_BITS = 8;

function lengthOf(list: Json | undefined): number {
  return Array.isArray(list) ? list.length : 0;
}

function boundsViolation(value: Json, schema: JsonObject): SchemaViolation | null {
  const outside = (bound: Json | undefined, breaks: (bound: number) => boolean): boolean =>
    typeof bound === 'number' && breaks(bound);
  if (typeof value === 'number') {
    const low = outside(schema.minimum, (bound) => value < bound);
    const high = outside(schema.maximum, (bound) => value > bound);
    const at_low = outside(schema.exclusiveMinimum, (bound) => value <= bound);
    const at_high = outside(schema.exclusiveMaximum, (bound) => value >= bound);
    return low || high || at_low || at_high ? 'bounds' : null;
  }
  if (typeof value !== 'string') return null;
  // The standard counts characters; UTF-16 units are an upper bound of them.
  const short = outside(schema.minLength, (bound) => value.length < bound);
  const long = outside(schema.maxLength, (bound) => Array.from(value).length > bound);
  return short || long ? 'bounds' : null;
}

function isOfType(value: Json, type: Json): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default:
      return true;
  }
}

/** `#/$defs/step`; anything else is nowhere in this schema, and so holds. */
function pointedAt(root: JsonObject, reference: string): Json | undefined {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let found: Json | undefined = root;
  for (const token of reference.slice(2).split('/')) {
    if (!isObject(found)) return undefined;
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    found = Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}
