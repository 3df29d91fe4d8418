import { isUtf8 } from 'node:buffer';
import { bufferOf } from './buffer-of.ts';
import type { Json, JsonObject } from './canonical.ts';

/** Looking into JSON that somebody else wrote: nothing here throws, whatever it is. */

export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The objects of a list; none where it is no list. */
export function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
}

/** A string as it is, a number as it is written; the empty string for all else. */
export function textIn(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : '';
}

/** The JSON of a text, or undefined where it is none. */
export function parseText(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The JSON of a body, or undefined where it is none or not UTF-8. */
export function parseJson(body: Uint8Array): Json | undefined {
  const bytes = bufferOf(body);
  return parseDecoded(bytes.toString('utf8'), bytes);
}

/**
 * The JSON of a text that was read from `bytes`. Undefined also where they are not UTF-8: they are
 * passed on as they came, and strict clients throw on them.
 */
export function parseDecoded(text: string, bytes: Uint8Array): Json | undefined {
  // Where bytes were lost, this stands in their place; few texts have one.
  if (text.includes('\ufffd') && !isUtf8(bytes)) return undefined;
  return parseText(text);
}
