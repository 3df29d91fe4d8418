import { GatewayError } from '../core/errors.ts';
import { changePoints } from '../core/series/change-points.ts';
import { fileFlag, type LabCommand, type LabFlags, type LabIo } from './lab-command.ts';
import { eachSeriesRow } from './series-rows.ts';

/** The whole series is held: 8 MB of numbers. */
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
    `--input FILE     up to ${ROWS_MAX} rows; - reads the standard input. Above 100000 rows`,
    '                 means of blocks are searched: a place is right to within 10 rows.',
  ],
  options: { input: { type: 'string' } },
  run,
};

async function run(flags: LabFlags, io: LabIo): Promise<number> {
  const input = fileFlag(flags, 'input');
  const values = createGrowing(ROWS_MAX);
  const add = (value: number): void => {
    if (values.add(value)) return;
    throw new GatewayError('bad_request', `${input} has more than ${ROWS_MAX} rows`);
  };
  await eachSeriesRow(io, input, {
    timestamps: false,
    miss: () => add(Number.NaN),
    take({ value }) {
      add(value);
      return null;
    },
  });
  io.print(JSON.stringify({ changepoints: changePoints(values.all()) }));
  return 0;
}

/** Numbers one after another, doubled in room as they come: a list of objects would take thrice. */
function createGrowing(most: number) {
  let held = new Float64Array(1024);
  let count = 0;
  return {
    /** False where there is no more room. */
    add(value: number): boolean {
      if (count >= most) return false;
      if (count === held.length) {
        const larger = new Float64Array(Math.min(most, 2 * held.length));
        larger.set(held);
        held = larger;
      }
      held[count] = value;
      count += 1;
      return true;
    },
    all: (): Float64Array => held.subarray(0, count),
  };
}
