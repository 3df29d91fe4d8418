import { getTableConfig } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { rollupMinutes } from '../../../src/store/schema/events.ts';

test('rollups count in whole numbers that traffic cannot overflow', () => {
  const types = new Map(
    getTableConfig(rollupMinutes).columns.map((column) => [column.name, column.getSQLType()]),
  );
  expect(types.get('minute_ms')).toBe('bigint');
  expect(types.get('calls')).toBe('bigint');
  expect(types.get('latency_sum_ms')).toBe('double precision');
  expect(getTableConfig(rollupMinutes).columns.every((column) => column.notNull)).toBe(true);
});
