import { beforeAll, expect, test } from 'vitest';
import type { Columns } from '../../src/store/columns-given.ts';
import { copyRows, copyText } from '../../src/store/copy-rows.ts';
import { sql } from '../../src/store/drizzle.ts';
import { isDuplicate, rowsOf } from '../../src/store/rows.ts';
import { describeStores } from '../kit/store-suite.ts';

interface Row {
  readonly id: string;
  readonly n: number | null;
  readonly told: unknown;
}

const COLUMNS: Columns<Row> = { id: 'text', n: 'float8', told: 'jsonb' };

test('copyText has a line a row, and escapes what would part or end a field', () => {
  const rows = [
    { id: 'a\tb\\c', n: null, told: ['x\ny'] },
    { id: '\\.', n: 1.5, told: {} },
  ];
  expect(copyText(COLUMNS, rows)).toBe('a\\tb\\\\c\t\\N\t["x\\\\ny"]\n\\\\.\t1.5\t{}\n');
  expect(copyText(COLUMNS, [])).toBe('');
});

describeStores('copyRows', ({ store }) => {
  beforeAll(async () => {
    await store.db.execute(sql`create table copied (id text primary key, n float8, told jsonb)`);
  });

  test('copyRows inserts any text as it is, and mends what Postgres cannot hold', async () => {
    const texts = ['', '\\N', '\\.', 'NULL', 'tab\there', 'line\nfeed\r', '"quoted"', 'é🙂', '\\'];
    const rows = texts.map((id, n) => ({ id, n, told: { id } }));
    await store.transaction((tx) => copyRows(tx, 'copied', COLUMNS, rows));
    await store.transaction((tx) =>
      copyRows(tx, 'copied', COLUMNS, [{ id: 'nul\0\ud800', n: null, told: 'nul\0' }]),
    );
    const stored = await rowsOf<Row>(store.db, sql`select id, n, told from copied order by n`);
    const mended = { id: 'nul\ufffd\ufffd', n: null, told: 'nul\ufffd' };
    expect(stored).toEqual([...rows, mended]);
  });

  test('copyRows rejects a key that is stored, and the transaction goes on', async () => {
    const row = { id: 'twice', n: 1, told: null };
    await store.transaction((tx) => copyRows(tx, 'copied', COLUMNS, [row]));
    await store.transaction(async (tx) => {
      const again = tx.transaction((attempt) => copyRows(attempt, 'copied', COLUMNS, [row]));
      expect(await again.then(() => null, isDuplicate)).toBe(true);
      await copyRows(tx, 'copied', COLUMNS, [{ ...row, id: 'after' }]);
    });
    const rows = await rowsOf(store.db, sql`select id from copied where id in ('twice', 'after')`);
    expect(rows).toHaveLength(2);
  });
});
