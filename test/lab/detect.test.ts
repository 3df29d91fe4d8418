import { expect, test } from 'vitest';
import { detect } from '../../src/lab/detect.ts';
import { anomalyWorld } from '../core/series/anomaly-worlds.ts';
import { memoryIo, runOn } from './lab-kit.ts';

const csv = (values: readonly number[]): string =>
  `timestamp,value\n${values
    .map((value, row) => `${new Date(1.7e12 + row * 300_000).toISOString()},${value}\n`)
    .join('')}`;

const { values, windows } = anomalyWorld('daily', 'spike', 2);
const series = csv(values.slice(0, 1500));

test('detect answers each row with its timestamp as given, a score and an alarm', async () => {
  const { code, out } = await runOn(detect, { input: 'a.csv' }, { 'a.csv': series });
  expect([code, out.length]).toEqual([0, 1500]);
  const rows = out.map((line) => JSON.parse(line));
  expect(Object.keys(rows[0])).toEqual(['timestamp', 'value', 'score', 'alarm']);
  expect(rows[7].timestamp).toBe(new Date(1.7e12 + 7 * 300_000).toISOString());
  const start = windows[0]?.[0] as number;
  expect(rows[start].alarm).toBe(true);
  expect(rows.slice(0, 60).every(({ score }) => score === 0)).toBe(true);
});

test.each(['default', 'change-point', 'isolation-forest', 'seasonal-residual', 'cusum', 'bocpd'])(
  'detect with %s says the same of a row when the file ends right after it',
  async (detector) => {
    const whole = await runOn(detect, { input: 'a.csv', detector }, { 'a.csv': series });
    for (const rows of [59, 400, 1101]) {
      const cut = `${series.split('\n', rows + 1).join('\n')}\n`;
      const part = memoryIo({ 'a.csv': cut }, 97);
      await detect.run({ input: 'a.csv', detector }, part.io);
      expect(part.out).toEqual(whole.out.slice(0, rows));
    }
  },
);

test('detect leaves bad rows out, tells them by line, and keeps the others', async () => {
  const text =
    'value,timestamp\n1,2026-01-01\nx,2026-01-02\n,2026-01-03\n' +
    '"2","Jan 4, 2026"\n3,\n1e999,2026-01-06\nNaN,2026-01-07\n4,2026-01-08\r\n';
  const { code, out, err } = await runOn(detect, { input: 'b.csv' }, { 'b.csv': text });
  expect(code).toBe(0);
  expect(out.map((line) => JSON.parse(line).timestamp)).toEqual([
    '2026-01-01',
    'Jan 4, 2026',
    '2026-01-08',
  ]);
  expect(err.map((line) => line.split(';')[0])).toEqual([
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
  const { io, out } = memoryIo({ 'c.csv': text });
  await expect(detect.run({ input: 'c.csv' }, io)).rejects.toThrow(`c.csv ${why}`);
  expect(out).toEqual([]);
});

test('detect refuses an unknown detector and names the known ones', async () => {
  const asked = runOn(detect, { input: 'a.csv', detector: 'lstm' }, { 'a.csv': series });
  await expect(asked).rejects.toThrow(/--detector is one of default, cusum, .*not "lstm"/);
});

test('detect names rows whose time is odd by line, and counts them', async () => {
  const times = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2025-01-01T00:00:00Z', 'soon'];
  const text = `timestamp,value\r\n${times.map((time) => `${time},1\r\n`).join('')}`;
  const { out, err } = await runOn(detect, { input: 'i' }, { i: text });
  expect(out).toHaveLength(4);
  expect(err.map((line) => line.slice(0, 4))).toEqual(['i:3:', 'i:4:', 'i:5:']);
});
