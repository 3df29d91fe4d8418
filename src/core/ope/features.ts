import type { Json } from '../canonical.ts';
import { type HashState, hash53From, hashState } from './hash.ts';

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
const OWN = COLUMNS - HASHED;
const VALUES_MAX = 12;
const DEPTH_MAX = 4;
const ENTRIES_MAX = 512;
/** Paths that are remembered; of a context with other keys in each row the rest is made anew. */
const PLACES_MAX = 20_000;

/** A path of the context, and what columns it has: found without writing the path again. */
interface Place {
  readonly path: string;
  /** The hash of the path, and of the path with what parts it from a value. */
  readonly hash: HashState;
  readonly valueHash: HashState;
  number_column: number;
  readonly value_columns: Map<string, number>;
  readonly inner: Map<string, Place>;
}

function createPlace(path: string): Place {
  return {
    path,
    hash: hashState(path),
    valueHash: hashState(`${path}=`),
    number_column: -1,
    value_columns: new Map(),
    inner: new Map(),
  };
}

export function createFeaturizer(): Featurizer {
  const root = createPlace('');
  let places = 1;
  let columns = 0;
  let hashed = false;

  const hashInto = (hash: number, value: number, into: Float32Array, offset: number): void => {
    hashed = true;
    // Of the low 32 bits, which are integers: HASHED is a power of 2.
    const low = hash >>> 0;
    const at = offset + OWN + (low & (HASHED - 1));
    into[at] = (into[at] as number) + ((low & HASHED) === 0 ? value : -value);
  };
  const putNumber = (place: Place, value: number, into: Float32Array, offset: number): void => {
    if (place.number_column < 0 && columns < OWN) {
      place.number_column = columns;
      columns += 1;
    }
    if (place.number_column >= 0) into[offset + place.number_column] = value;
    else hashInto(hash53From(place.hash, ''), value, into, offset);
  };
  const putText = (place: Place, text: string, into: Float32Array, offset: number): void => {
    const known = place.value_columns.get(text);
    if (known !== undefined) into[offset + known] = 1;
    else if (place.value_columns.size < VALUES_MAX && columns < OWN) {
      place.value_columns.set(text, columns);
      into[offset + columns] = 1;
      columns += 1;
    } else hashInto(hash53From(place.valueHash, text), 1, into, offset);
  };
  const within = (place: Place, key: string): Place => {
    const known = place.inner.get(key);
    if (known !== undefined) return known;
    const made = createPlace(`${place.path}/${key}`);
    if (places < PLACES_MAX) {
      place.inner.set(key, made);
      places += 1;
    }
    return made;
  };
  const walk = (
    value: Json | undefined,
    place: Place,
    depth: number,
    into: Float32Array,
    offset: number,
  ): void => {
    if (typeof value === 'number') putNumber(place, Math.fround(value), into, offset);
    else if (typeof value === 'string') putText(place, value.slice(0, 256), into, offset);
    else if (typeof value === 'boolean') putText(place, String(value), into, offset);
    else if (value && typeof value === 'object' && depth < DEPTH_MAX) {
      const keys = Object.keys(value);
      for (let at = 0; at < keys.length && at < ENTRIES_MAX; at += 1) {
        const key = keys[at] as string;
        const inner = (value as Readonly<Record<string, Json>>)[key];
        walk(inner, within(place, key), depth + 1, into, offset);
      }
    }
  };
  return {
    write: (context, into, offset) => walk(context, root, 0, into, offset),
    used: () => (hashed ? COLUMNS : columns),
  };
}
