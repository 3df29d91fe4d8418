import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { changePoints } from '../src/core/series/change-points.ts';
import { SERIES_DETECTORS } from '../src/core/series/detectors.ts';
import { createRandom } from '../src/core/series/random.ts';

/**
 * `node scripts/plot-lab.ts`: writes docs/lab/requests.csv, a made-up series with two oddities, and
 * the plots of docs/lab.md from the samples beside it. The same input gives the same bytes.
 */

const WIDTH = 720;
const HEIGHT = 180;

/** Requests an hour over 25 days: a busy day, a quiet night; a spike and a fall to two thirds. */
function requests(): string {
  const random = createRandom(26);
  const rows = Array.from({ length: 600 }, (_, hour) => {
    const day = 400 + 250 * Math.sin((2 * Math.PI * (hour - 8)) / 24);
    const spike = hour === 380 ? 420 : 0;
    const level = hour >= 500 ? 0.6 : 1;
    const value = Math.round(level * day + spike + 25 * random.normal());
    return `${new Date(Date.UTC(2026, 8, 1, hour)).toISOString().replace('.000', '')},${value}\n`;
  });
  return `timestamp,value\n${rows.join('')}`;
}

function valuesOf(file: string): readonly number[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => Number(line.split(',')[1]));
}

const path = (values: readonly number[], top: number, height: number, range?: [number, number]) => {
  const [low, high] = range ?? [Math.min(...values), Math.max(...values)];
  const points = values.map((value, row) => {
    const x = (WIDTH * row) / (values.length - 1);
    const y = top + height - (height * (value - low)) / (high - low);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return `M${points.join('L')}`;
};

function svg(title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

const line = (d: string, colour: string) =>
  `<path d="${d}" fill="none" stroke="${colour}" stroke-width="1"/>`;
const mark = (row: number, rows: number, colour: string) => {
  const x = ((WIDTH * row) / (rows - 1)).toFixed(1);
  return `<path d="M${x},0V${HEIGHT}" stroke="${colour}" stroke-dasharray="4 3"/>`;
};

function main(): void {
  mkdirSync('docs/img', { recursive: true });
  writeFileSync('docs/lab/requests.csv', requests());
  const series = valuesOf('docs/lab/requests.csv');
  const detector = SERIES_DETECTORS.default?.();
  if (!detector) throw new Error('there is no default detector');
  const steps = series.map((value) => detector.push(value));
  const alarms = steps.flatMap(({ alarm }, row) => (alarm ? [row] : []));
  const detected = svg('Requests an hour, the score of each row below, alarms dashed', [
    ...alarms.map((row) => mark(row, series.length, '#c33')),
    line(path(series, 5, 120), '#246'),
    line(
      path(
        steps.map(({ score }) => score),
        135,
        40,
        [0, 1],
      ),
      '#c33',
    ),
  ]);
  writeFileSync('docs/img/lab-detect.svg', detected);
  const nile = valuesOf('docs/lab/nile.csv');
  const changed = svg('The yearly flow of the Nile, its change of 1899 dashed', [
    ...changePoints(nile).map((row) => mark(row, nile.length, '#c33')),
    line(path(nile, 5, 170), '#246'),
  ]);
  writeFileSync('docs/img/lab-changepoints.svg', changed);
}

if (import.meta.main) main();
