import { SERIES_DETECTORS } from '../core/series/detectors.ts';
import {
  fileFlag,
  type LabCommand,
  type LabFlags,
  type LabIo,
  labUsageError,
  numberFlag,
} from './lab-command.ts';
import { eachSeriesRow } from './series-rows.ts';
import { createStepClock } from './step-clock.ts';

const NAMES = Object.keys(SERIES_DETECTORS);

export const detect: LabCommand = {
  name: 'detect',
  usage: '--input FILE.csv [--detector NAME] [--seed N]',
  summary: 'scores each row of a series by how unusual it is, knowing only the rows before it',
  example: 'hive lab detect --detector default --input docs/lab/requests.csv',
  details: [
    'The CSV has a header with the columns timestamp and value. For each row a line of JSON:',
    '  {"timestamp": as given, "value": number, "score": 0..1, "alarm": true | false}',
    'A score of 0.5 is where the detector alarms; an alarm marks the onset, not the whole episode.',
    'The first 60 rows and more only teach. No row changes the answer to an earlier one.',
    '',
    `--detector NAME  ${NAMES.join(' | ')}`,
    '--input FILE     the series; - reads the standard input',
    '--seed N         of isolation-forest; 1 by default',
  ],
  options: {
    detector: { type: 'string' },
    input: { type: 'string' },
    seed: { type: 'string' },
  },
  run,
};

async function run(flags: LabFlags, io: LabIo): Promise<number> {
  const input = fileFlag(flags, 'input');
  const seed = numberFlag(flags, 'seed', 1, [0, 2 ** 31 - 1]);
  const name = flags.detector ?? 'default';
  const create = Object.hasOwn(SERIES_DETECTORS, String(name))
    ? SERIES_DETECTORS[String(name)]
    : undefined;
  if (!create) {
    throw labUsageError(
      `--detector is one of ${NAMES.join(', ')}, not ${JSON.stringify(String(name))}`,
    );
  }
  const clock = createStepClock();
  const detector = create({ seed, seasons: clock.seasons });
  await eachSeriesRow(io, input, {
    timestamps: true,
    miss: () => void detector.push(null),
    take: ({ timestamp, value }) => {
      const odd = clock.odd(timestamp);
      for (let gap = clock.missing(timestamp); gap > 0; gap -= 1) detector.push(null);
      const { score, alarm } = detector.push(value);
      io.print(JSON.stringify({ timestamp, value, score: rounded(score), alarm }));
      return odd;
    },
  });
  return 0;
}

/** Four digits say all that a score knows. */
function rounded(score: number): number {
  return Math.round(score * 1e4) / 1e4;
}
