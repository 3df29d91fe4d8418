import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { changepoints } from '../../src/lab/changepoints.ts';
import { runOn } from './lab-kit.ts';

async function found(text: string): Promise<readonly number[]> {
  const { code, out } = await runOn(changepoints, { input: 'a.csv' }, { 'a.csv': text });
  expect([code, out.length]).toEqual([0, 1]);
  const answer = JSON.parse(out[0] as string);
  expect(Object.keys(answer)).toEqual(['changepoints']);
  return answer.changepoints;
}

test('changepoints finds the one change of the Nile, 1899', async () => {
  const places = await found(readFileSync('docs/lab/nile.csv', 'utf8'));
  expect(places).toEqual([28]);
});

test('changepoints needs no timestamps, and rows without a number keep their place', async () => {
  const rows = Array.from({ length: 60 }, (_, row) =>
    row % 10 === 5 ? 'n/a' : `${(row >= 30 ? 9 : 1) + ((row * 7) % 5) / 10}`,
  );
  expect(await found(`value\n${rows.join('\n')}`)).toEqual([30]);
});

test('changepoints of a constant, or of next to nothing, are none', async () => {
  expect(await found(`value\n${'7\n'.repeat(50)}`)).toEqual([]);
  expect(await found('timestamp,value\n2026-01-01T00:00:00Z,1\n')).toEqual([]);
});

test('changepoints refuses a file without the column with one line', async () => {
  const asked = runOn(changepoints, { input: 'a.csv' }, { 'a.csv': 'a,b\n1,2\n' });
  await expect(asked).rejects.toThrow('a.csv has no column value');
});
