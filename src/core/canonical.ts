import { createHash, hash } from 'node:crypto';

/** A JSON value, as the product's own data is made of. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/**
 * Canonical JSON (RFC 8785): keys in UTF-16 order, numbers and strings as ECMAScript writes them,
 * no white space. Two clients that hold the same data write the same bytes, so Python's `1.0` is
 * our `1`. Keys whose value is `undefined` are absent. Throws on a number that JSON cannot hold.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`${value} is not a JSON number`);
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 in hex of the canonical JSON: how policies, contents and inputs are named. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}

export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** A running SHA-256, for data that arrives in parts. */
export function sha256Stream(): { update(data: string | Uint8Array): void; digest(): string } {
  const running = createHash('sha256');
  return {
    update: (data) => void running.update(data),
    digest: () => running.digest('hex'),
  };
}

/** Equality as JSON data, whatever the key order; `undefined` equals an absent key. */
export function sameJson(left: unknown, right: unknown): boolean {
  return canonicalJson(left) === canonicalJson(right);
}
