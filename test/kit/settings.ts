import { z } from 'zod';
import type { JsonSchema } from '../../src/config/json-schema.ts';
import type { JsonObject } from '../../src/core/canonical.ts';
import { isObject } from '../../src/core/json-values.ts';
import type { PluginRegistry } from '../../src/core/plugin.ts';
import { mergePatch } from '../../src/core/pointer.ts';

type AnyPlugin = PluginRegistry extends ReadonlyMap<string, infer One> ? One : never;

/** One option at one value, with what it needs beside it to be accepted. */
export interface Setting {
  /** Such as `cascade.chars_min=0`. */
  readonly name: string;
  readonly options: JsonObject;
}

/** What a text stands for, by the name of the option that has it; else it names a target. */
export type Texts = Readonly<Record<string, string>>;

/**
 * Every option of a plugin at each value that its schema suggests: all words of an enum, both
 * truths, a number's ends, its default and the middle, a list without and with one entry of each
 * kind. What is refused alone is tried with each of the others; it throws where one fits nowhere.
 */
export function settingsOf(definition: AnyPlugin, texts: Texts): readonly Setting[] {
  const schema = z.toJSONSchema(definition.options, { io: 'input' }) as JsonSchema;
  const alone = membersOf(schema, texts).map(([name, value]) => ({
    name: `${name}=${JSON.stringify(value)}`,
    options: nested(name.split('.'), value),
  }));
  const fits = (options: unknown): boolean => definition.options.safeParse(options).success;
  return alone.map((setting) => {
    if (fits(setting.options)) return setting;
    for (const other of alone) {
      const options = mergePatch(other.options, setting.options) as JsonObject;
      if (fits(options)) return { ...setting, options };
    }
    throw new Error(`${definition.name}: ${setting.name} fits nothing`);
  });
}

/** Leaves by their dotted path. */
function membersOf(schema: JsonSchema, texts: Texts): readonly (readonly [string, unknown])[] {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.entries(properties).flatMap(([name, member]) => {
    const below = membersOf(member, texts);
    if (below.length > 0) return below.map(([path, value]) => [`${name}.${path}`, value] as const);
    return samplesOf(member, name, texts).map((value) => [name, value] as const);
  });
}

function samplesOf(schema: JsonSchema, name: string, texts: Texts): readonly unknown[] {
  const branches = schema.anyOf as readonly JsonSchema[] | undefined;
  if (branches) return branches.flatMap((branch) => samplesOf(branch, name, texts));
  if (schema.const !== undefined) return [schema.const];
  if (Array.isArray(schema.enum)) return schema.enum;
  if (schema.type === 'boolean') return [true, false];
  if (schema.type === 'number' || schema.type === 'integer') return numbersOf(schema);
  if (schema.type === 'array') return listsOf(schema, name, texts);
  if (schema.type === 'object') return mapsOf(schema, name, texts);
  return [texts[name] ?? texts.target ?? 'a'];
}

function numbersOf(schema: JsonSchema): readonly number[] {
  const known = [schema.minimum, schema.maximum, schema.default].filter(
    (value): value is number => typeof value === 'number' && Math.abs(value) < 1e12,
  );
  const [least = 0, most = Math.max(1, ...known)] = [schema.minimum, schema.maximum].map((end) =>
    typeof end === 'number' ? end : undefined,
  );
  const middle = (least + most) / 2;
  return [...new Set([...known, schema.type === 'integer' ? Math.floor(middle) : middle])];
}

function listsOf(schema: JsonSchema, name: string, texts: Texts): readonly unknown[] {
  const items = isObject(schema.items) ? (schema.items as JsonSchema) : {};
  const least = typeof schema.minItems === 'number' ? schema.minItems : 0;
  const one = items.properties ? [wholeOf(items, texts)] : samplesOf(items, name, texts);
  return [...(least === 0 ? [[]] : []), ...one.map((value) => [value])];
}

function mapsOf(schema: JsonSchema, name: string, texts: Texts): readonly unknown[] {
  const entries = schema.additionalProperties;
  if (!isObject(entries)) return [{}];
  const of = entries as JsonSchema;
  const values = of.properties
    ? membersOf(of, texts).map(([path, value]) => nested(path.split('.'), value))
    : samplesOf(of, name, texts);
  return [{}, ...values.map((value) => ({ [texts.target ?? 'a']: value }))];
}

/** An entry with all that it must have. */
function wholeOf(schema: JsonSchema, texts: Texts): JsonObject {
  const required = (schema.required ?? []) as readonly string[];
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.fromEntries(
    required.map((name) => [name, samplesOf(properties[name] as JsonSchema, name, texts)[0]]),
  ) as JsonObject;
}

function nested([name = '', ...rest]: readonly string[], value: unknown): JsonObject {
  return { [name]: rest.length === 0 ? value : nested(rest, value) } as JsonObject;
}
