import { createRequire } from 'node:module';

/**
 * drizzle, loaded as CommonJS: its ES modules are hundreds of files, which cost half a second and
 * 200 MB at the start; the same code required costs a fifth. Types are those of the packages.
 */
const require = createRequire(import.meta.url);

const orm: typeof import('drizzle-orm') = require('drizzle-orm');
const core: typeof import('drizzle-orm/pg-core') = require('drizzle-orm/pg-core');

export const { and, desc, eq, inArray, lt, sql } = orm;
export const {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
} = core;

/** Only one of the two backends is ever loaded: the other would cost its memory for nothing. */
export function loadPglite() {
  const { PGlite }: typeof import('@electric-sql/pglite') = require('@electric-sql/pglite');
  const { drizzle }: typeof import('drizzle-orm/pglite') = require('drizzle-orm/pglite');
  const {
    migrate,
  }: typeof import('drizzle-orm/pglite/migrator') = require('drizzle-orm/pglite/migrator');
  return { PGlite, drizzle, migrate };
}

type PostgresMigrator = typeof import('drizzle-orm/postgres-js/migrator');

export function loadPostgres() {
  const postgres: typeof import('postgres') = require('postgres');
  const { drizzle }: typeof import('drizzle-orm/postgres-js') = require('drizzle-orm/postgres-js');
  const { migrate }: PostgresMigrator = require('drizzle-orm/postgres-js/migrator');
  return { postgres, drizzle, migrate };
}
