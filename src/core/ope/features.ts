import type { Json } from '../canonical.ts';
import { hash53 } from './hash.ts';

/**
 * A context as a vector, whatever JSON it is. A number is a column of its path; a text or a
 * boolean is a column of (path, value) that holds 1. The first that come get columns of their own,
 * at most VALUES_MAX values a path, so that an id among the context does not take them all; the
 * rest share HASHED columns by a signed hash (K. Weinberger et al., "Feature Hashing for Large
 * Scale Multitask Learning", ICML 2009).
 */
export interface Featurizer {
  /** Adds the context's values to `into` at `offset`; `into` is zero there. Never throws. */
  write(context: Json | undefined, into: Float32Array, offset: number): void;
  /** Columns that have been written so far. */
  readonly used: () => number;
}

export const COLUMNS = 64;
const HASHED = 16;
const VALUES_MAX = 12;
const DEPTH_MAX = 4;
const ENTRIES_MAX = 512;

export function createFeaturizer(): Featurizer {
  const columns = new Map<string, number>();
  const values = new Map<string, number>();
  let hashed = false;

  const columnOf = (token: string): number | undefined => {
    const known = columns.get(token);
    if (known !== undefined || columns.size >= COLUMNS - HASHED) return known;
    columns.set(token, columns.size);
    return columns.size - 1;
  };
  const hashInto = (token: string, value: number, into: Float32Array, offset: number): void => {
    hashed = true;
    const hash = hash53(token);
    const at = offset + COLUMNS - HASHED + (hash % HASHED);
    into[at] = (into[at] as number) + (Math.floor(hash / HASHED) % 2 === 0 ? value : -value);
  };
  const put = (token: string, value: number, into: Float32Array, offset: number): void => {
    const column = columnOf(token);
    if (column === undefined) hashInto(token, value, into, offset);
    else into[offset + column] = value;
  };
  const putValue = (path: string, text: string, into: Float32Array, offset: number): void => {
    const token = `${path}=${text}`;
    const seen = values.get(path) ?? 0;
    if (!columns.has(token) && seen >= VALUES_MAX) {
      hashInto(token, 1, into, offset);
      return;
    }
    if (!columns.has(token)) values.set(path, seen + 1);
    put(token, 1, into, offset);
  };
  const walk = (
    value: Json | undefined,
    path: string,
    depth: number,
    into: Float32Array,
    offset: number,
  ): void => {
    if (typeof value === 'number') put(path, Math.fround(value), into, offset);
    else if (typeof value === 'string') putValue(path, value.slice(0, 256), into, offset);
    else if (typeof value === 'boolean') putValue(path, String(value), into, offset);
    else if (value && typeof value === 'object' && depth < DEPTH_MAX) {
      for (const [key, inner] of Object.entries(value).slice(0, ENTRIES_MAX)) {
        walk(inner as Json, `${path}/${key}`, depth + 1, into, offset);
      }
    }
  };
  return {
    write: (context, into, offset) => walk(context, '', 0, into, offset),
    used: () => (hashed ? COLUMNS : columns.size),
  };
}
