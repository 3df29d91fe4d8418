import { GatewayError } from '../core/errors.ts';
import { changePoints } from '../core/series/change-points.ts';
import { fileFlag, type LabCommand, type LabFlags, type LabIo } from './lab-command.ts';
import { eachSeriesRow } from './series-rows.ts';

/** The whole series is held and searched: 16 MB of numbers, and minutes beyond. */
const ROWS_MAX = 1_000_000;

export const changepoints: LabCommand = {
  name: 'changepoints',
  usage: '--input FILE.csv',
  summary: 'finds where a series changed its level, trend or spread, after the fact',
  example: 'hive lab changepoints --input docs/lab/nile.csv',
  details: [
    'The CSV has a header with a column value; others are ignored. One line of JSON:',
    '  {"changepoints": [rows]}, from 0, each the first row of a new segment (never 0 itself)',
    'Outliers and seasons are no changes; neither is what autocorrelated noise would do by itself.',
    'A row without a number keeps its place, so places are rows of the file after the header.',
    '',
    `--input FILE     up to ${ROWS_MAX} rows; - reads the standard input`,
  ],
  options: { input: { type: 'string' } },
  run,
};

async function run(flags: LabFlags, io: LabIo): Promise<number> {
  const input = fileFlag(flags, 'input');
  const values: (number | null)[] = [];
  const add = (value: number | null): void => {
    if (values.length >= ROWS_MAX) {
      throw new GatewayError('bad_request', `${input} has more than ${ROWS_MAX} rows`);
    }
    values.push(value);
  };
  await eachSeriesRow(io, input, {
    timestamps: false,
    miss: () => add(null),
    take: ({ value }) => add(value),
  });
  io.print(JSON.stringify({ changepoints: changePoints(values) }));
  return 0;
}
