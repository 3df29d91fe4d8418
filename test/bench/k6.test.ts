import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { gatesTable, isMet, median } from '../../bench/gates.ts';
import { findK6 } from '../../bench/k6.ts';

const dir = mkdtempSync(join(tmpdir(), 'hive-k6-test-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, process.platform === 'win32' ? 'k6.exe' : 'k6');
writeFileSync(file, '');

describe('findK6', () => {
  test('findK6 takes K6_BIN before PATH, and nothing instead of a K6_BIN that is not there', () => {
    expect(findK6({ K6_BIN: file, PATH: '/nowhere' })).toBe(file);
    expect(findK6({ PATH: `/nowhere:${dir}` })).toBe(file);
    expect(findK6({ K6_BIN: join(dir, 'gone'), PATH: dir })).toBeNull();
  });
});

describe('gates', () => {
  const gate = { name: 'memory idle', unit: 'MB', limit: 600 };

  test('gatesTable says what is met, missed and not measured', () => {
    const rows = gatesTable([
      { ...gate, value: 600 },
      { ...gate, value: 601 },
      { ...gate, value: null },
    ]).split('\n');
    expect(rows.slice(1).map((row) => row.replace(/.*≤ 600 MB +/, ''))).toEqual([
      'met',
      'MISSED',
      'not measured',
    ]);
    expect(isMet({ ...gate, value: null })).toBeNull();
  });

  test('median is the middle value whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });
});
