import type { SQL } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

/** A drizzle database, or a transaction of one; of either backend. */
export type Db = PgDatabase<PgQueryResultHKT>;

/**
 * Rows of a raw query, alike on both backends: PGlite answers `{rows}`, postgres.js an array. A
 * query casts its counts to `int` and its times to `float8`, because a `bigint` arrives as text
 * from one of them.
 */
export async function rowsOf<T>(db: Db, query: SQL): Promise<readonly T[]> {
  const result: unknown = await db.execute(query).catch(throwPlain);
  if (Array.isArray(result)) return result as T[];
  return (result as { readonly rows: T[] }).rows;
}

/**
 * Rows as one JSON parameter, for `jsonb_to_recordset` and its kin: a statement of constant text
 * whatever the number of rows. Postgres holds neither NUL nor half a surrogate pair, and a client
 * may send both, so the rare strings that have them are mended.
 */
export function jsonRows(rows: readonly unknown[]): string {
  return storableJson(rows);
}

export function storableJson(value: unknown): string {
  const text = JSON.stringify(value);
  return UNSTORABLE.test(text) ? JSON.stringify(value, storable) : text;
}

const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;

function storable(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [storableText(key), member]),
  );
}

/** Postgres holds neither NUL nor half a surrogate pair, and a client may send both. */
export function storableText(value: string): string {
  const text = value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
  return text.isWellFormed() ? text : text.toWellFormed();
}

/**
 * What the database itself said. drizzle's own error repeats the statement with all its parameters,
 * which are users' data and may be megabytes: neither belongs in a log.
 */
export function throwPlain(thrown: unknown): never {
  let plain = thrown;
  while (plain instanceof Error && 'params' in plain && plain.cause) plain = plain.cause;
  throw plain;
}

/** Whether the database refused a row because one with its key is stored. */
export function isDuplicate(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === '23505';
}
