import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Columns, columnsGiven } from '../../src/store/columns-given.ts';
import { sql } from '../../src/store/drizzle.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { describeStores } from '../kit/store-suite.ts';

interface Row {
  readonly id: number;
  readonly name: string | null;
  readonly yes: boolean | null;
  readonly share: number | null;
  readonly json: unknown;
}

const COLUMNS: Columns<Row> = {
  id: 'int',
  name: 'text',
  yes: 'boolean',
  share: 'float8',
  json: 'jsonb',
};

describeStores('columnsGiven', ({ store }) => {
  const back = (rows: readonly Row[]) =>
    rowsOf<Row>(store.db, sql`select * from ${columnsGiven(COLUMNS, rows)} as rows order by id`);

  test('columnsGiven gives back any rows, also those that quote, brace and say NULL', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }).map((given) => given.replaceAll('\0', '')),
      fc.constantFrom('NULL', 'null', '{}', '"', '\\', '\\"', ',', '', ' x '),
    );
    const row = fc.record({
      name: fc.option(text),
      yes: fc.option(fc.boolean()),
      share: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      json: fc.array(fc.oneof(text, fc.integer(), fc.constant(null))),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 6 }), async (given) => {
        // Postgres is given no negative zero.
        const plain = (share: number | null) => (share === null ? null : share + 0);
        const rows = given.map((one, id) => ({ id, ...one, share: plain(one.share) }));
        expect(await back(rows)).toEqual(rows);
      }),
      { numRuns: 40 },
    );
  });

  test('columnsGiven mends what Postgres cannot hold', async () => {
    const odd = { id: 1, name: 'a\0b\ud800', yes: null, share: 0, json: ['c\0\udc00'] };
    const [row] = await back([odd]);
    expect(row).toMatchObject({ name: 'a\ufffdb\ufffd', json: ['c\ufffd\ufffd'] });
  });
});
