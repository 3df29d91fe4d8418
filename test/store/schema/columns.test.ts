import { getTableConfig } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { rollups, unitFacts } from '../../../src/store/schema/rollups.ts';

test('rollups count in whole numbers that traffic cannot overflow', () => {
  const types = new Map(
    [...getTableConfig(rollups).columns, ...getTableConfig(unitFacts).columns].map((column) => [
      column.name,
      column.getSQLType(),
    ]),
  );
  expect(types.get('at_ms')).toBe('bigint');
  expect(types.get('calls')).toBe('bigint');
  expect(types.get('day_ms')).toBe('bigint');
  expect(types.get('latency_p50_ms')).toBe('double precision');
});
