import type { SQL } from 'drizzle-orm';
import { sql } from './drizzle.ts';
import { storableJson, storableText } from './rows.ts';

export type ColumnType = 'text' | 'bigint' | 'int' | 'float8' | 'boolean' | 'jsonb';

/** Columns by name, in their order. */
export type Columns<Row> = Readonly<Record<keyof Row & string, ColumnType>>;

/**
 * Many rows as a table expression of these columns: an array parameter a column, and one value
 * where all rows have the same. Postgres takes about half the time over it that it takes to look up
 * the keys of as many JSON objects, and most columns of a batch of calls are alike.
 */
export function columnsGiven<Row extends object>(columns: Columns<Row>, rows: readonly Row[]): SQL {
  const arrays: SQL[] = [];
  const names: string[] = [];
  const outputs: SQL[] = [];
  for (const [name, type] of Object.entries<ColumnType>(columns)) {
    const values = rows.map((row) => textOf((row as Record<string, unknown>)[name], type));
    const column = sql.raw(`"${name}"`);
    const [first = null] = values;
    if (names.length > 0 && values.every((value) => value === first)) {
      outputs.push(sql`${first}::text::${sql.raw(type)} as ${column}`);
      continue;
    }
    const isText = type === 'text' || type === 'jsonb';
    const array = isText
      ? arrayOf(values)
      : `{${values.map((value) => value ?? 'NULL').join(',')}}`;
    arrays.push(sql`${array}::${sql.raw(type)}[]`);
    names.push(`"${name}"`);
    outputs.push(sql`given.${column}`);
  }
  const comma = sql.raw(', ');
  return sql`(select ${sql.join(outputs, comma)}
    from unnest(${sql.join(arrays, comma)}) as given (${sql.raw(names.join(', '))}))`;
}

function textOf(value: unknown, type: ColumnType): string | null {
  if (value === null || value === undefined) return null;
  if (type === 'jsonb') return storableJson(value);
  return typeof value === 'string' ? storableText(value) : JSON.stringify(value);
}

const SPECIAL = /["\\]/;
const SPECIALS = /["\\]/g;

/** Texts as one parameter, in a form that an index serves, and that costs no time to plan. */
export function anyOf(texts: readonly string[]): SQL {
  return sql`any(array(select unnest(${arrayOf(texts.map(storableText))}::text[])))`;
}

/** An array's literal; every element is quoted, so that no text is read as NULL or as structure. */
function arrayOf(values: readonly (string | null)[]): string {
  const elements = values.map((value) =>
    value === null ? 'NULL' : `"${SPECIAL.test(value) ? value.replace(SPECIALS, '\\$&') : value}"`,
  );
  return `{${elements.join(',')}}`;
}
