import { expect, test } from 'vitest';
import { detect } from '../../src/lab/detect.ts';
import { anomalyWorld } from '../core/series/anomaly-worlds.ts';
import { labWorld } from './series-kit.ts';

const csv = (values: readonly number[]): string =>
  `timestamp,value\n${values
    .map((value, row) => `${new Date(1.7e12 + row * 300_000).toISOString()},${value}\n`)
    .join('')}`;

const { values, windows } = anomalyWorld('daily', 'spike', 2);
const series = csv(values.slice(0, 1500));

test('detect answers each row with its timestamp as given, a score and an alarm', async () => {
  const { printed, run } = labWorld({ 'a.csv': series });
  expect(await run(detect, { input: 'a.csv' })).toBe(0);
  expect(printed.length).toBe(1500);
  const rows = printed.map((line) => JSON.parse(line));
  expect(Object.keys(rows[0])).toEqual(['timestamp', 'value', 'score', 'alarm']);
  expect(rows[7].timestamp).toBe(new Date(1.7e12 + 7 * 300_000).toISOString());
  const start = windows[0]?.[0] as number;
  expect(rows[start].alarm).toBe(true);
  expect(rows.slice(0, 60).every(({ score }) => score === 0)).toBe(true);
});

test.each(['default', 'change-point', 'isolation-forest', 'seasonal-residual', 'cusum', 'bocpd'])(
  'detect with %s says the same of a row when the file ends right after it',
  async (detector) => {
    const whole = labWorld({ 'a.csv': series });
    await whole.run(detect, { input: 'a.csv', detector });
    for (const rows of [59, 400, 1101]) {
      const part = labWorld(
        {
          'a.csv': `${series
            .split('\n')
            .slice(0, rows + 1)
            .join('\n')}\n`,
        },
        97,
      );
      await part.run(detect, { input: 'a.csv', detector });
      expect(part.printed).toEqual(whole.printed.slice(0, rows));
    }
  },
);

test('detect leaves bad rows out, tells them by line, and the others keep their shape', async () => {
  const text = 'value,timestamp\n1,t1\nx,t2\n,t3\n"2","t,4"\n3,\n1e999,t6\nNaN,t7\n4,t8\r\n';
  const { printed, warned, run } = labWorld({ 'b.csv': text });
  expect(await run(detect, { input: 'b.csv' })).toBe(0);
  expect(printed.map((line) => JSON.parse(line).timestamp)).toEqual(['t1', 't,4', 't8']);
  expect(warned.map((line) => line.split(';')[0])).toEqual([
    'b.csv:3: the value "x" is no number',
    'b.csv:4: no value',
    'b.csv:6: no timestamp',
    'b.csv:7: the value 1e999 is too large',
    'b.csv:8: the value "NaN" is no number',
  ]);
});

test.each([
  ['', 'is empty'],
  ['timestamp,value\n', 'has no row with a number'],
  ['time,v\n1,2\n', 'has no column timestamp and no column value; its header is "time,v"'],
])('detect refuses %j with one line', async (text, why) => {
  const { printed, run } = labWorld({ 'c.csv': text });
  await expect(run(detect, { input: 'c.csv' })).rejects.toThrow(`c.csv ${why}`);
  expect(printed).toEqual([]);
});

test('detect refuses an unknown detector and names the known ones', async () => {
  const { run } = labWorld({ 'a.csv': series });
  await expect(run(detect, { input: 'a.csv', detector: 'lstm' })).rejects.toThrow(
    /--detector is one of default, cusum, .*not "lstm"/,
  );
});
