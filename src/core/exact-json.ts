import { bufferOf } from './buffer-of.ts';
import type { Json, JsonObject } from './canonical.ts';

/** Longer runs of digits, or larger exponents where a value may stand, may not fit a double. */
const LONG_NUMBER = /\d{16}|[[:,\s]-?\d[\d.]*[eE][+-]?\d{3}/;

/**
 * Parses JSON so that writing it again gives every number back as it was written: an id of 64 bits
 * in a tool's arguments must not lose its last digits on the way through a translation. Long ones
 * become `JSON.rawJSON`, which only `JSON.stringify` understands. Undefined where it is no JSON.
 */
export function parseExact(text: string): Json | undefined {
  try {
    return (LONG_NUMBER.test(text) ? JSON.parse(text, keepNumber) : JSON.parse(text)) as Json;
  } catch {
    return undefined;
  }
}

/** ES2025's source text access, which the types of the language do not know yet. */
interface RawJson {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
}

const RAW = JSON as unknown as RawJson;

function keepNumber(this: unknown, _key: string, value: unknown, context?: { source?: string }) {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  if (String(value) === context.source) return value;
  return RAW.rawJSON(context.source);
}

export function parseExactBytes(bytes: Uint8Array): Json | undefined {
  return parseExact(bufferOf(bytes).toString('utf8'));
}

/** An object whose own members are plain numbers, however they were written: to be read by us. */
export function withPlainNumbers(object: JsonObject): JsonObject {
  const plain = Object.entries(object).flatMap(([key, value]) =>
    RAW.isRawJSON(value) ? [[key, Number(value.rawJSON)] as const] : [],
  );
  return plain.length === 0 ? object : { ...object, ...Object.fromEntries(plain) };
}
