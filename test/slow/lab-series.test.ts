import { expect, test } from 'vitest';
import { changePoints } from '../../src/core/series/change-points.ts';
import type { SeriesDetector } from '../../src/core/series/detector.ts';
import { createEnsemble } from '../../src/core/series/ensemble.ts';
import { pelt } from '../../src/core/series/pelt.ts';
import { createSeasonalResidual } from '../../src/core/series/seasonal-residual.ts';
import { costOf, FAMILIES, type Family, sumsOf } from '../../src/core/series/segment-costs.ts';
import { tailLikelihood, zScore } from '../core/series/baselines.ts';
import { changeF1, covering } from '../core/series/change-worlds.ts';
import { averagePrecision, bestByScore, verdictOfAlarms } from '../core/series/stream-score.ts';
import { UNSEEN_CHANGE_KINDS, unseenChange } from '../core/series/unseen-changes.ts';
import { UNSEEN_KINDS, unseenWorld } from '../core/series/unseen-worlds.ts';

/** Figures of docs/lab.md: `npm run test:slow -- test/slow/lab-series`. Seeds are fixed. */
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const SEEDS = [101, 102, 103];

const detectors: Readonly<Record<string, (seasons: readonly number[]) => SeriesDetector>> = {
  default: (seasons) => createEnsemble({ seasons }),
  'ETS residual': (seasons) => createSeasonalResidual({ seasons }),
  'z-score': () => zScore(),
  'tail likelihood': () => tailLikelihood(),
};

test('the default detector beats its baselines on series that nothing was tuned on', () => {
  const worlds = UNSEEN_KINDS.flatMap((kind) => SEEDS.map((seed) => unseenWorld(kind, seed)));
  const found = Object.entries(detectors).map(([name, create]) => {
    const answers = worlds.map(({ values, odd, step_minutes }) => {
      const seasons = [1440 / step_minutes, 10_080 / step_minutes].filter((rows) => rows >= 4);
      const detector = create(seasons);
      return { rows: values.length, odd, steps: values.map((value) => detector.push(value)) };
    });
    const { precision, recall, f1, nab } = verdictOfAlarms(answers);
    const best = bestByScore(answers);
    const odd = answers.filter((one) => one.odd.length > 0);
    const area = odd.reduce((sum, one) => sum + averagePrecision(one), 0) / odd.length;
    const figures = [precision, recall, f1].map((one) => one.toFixed(2)).join(' ');
    say(`${name}: P R F1 ${figures}, NAB ${nab.toFixed(1)}, by score ${best.nab.toFixed(1)}`);
    say(`  average precision of rows ${area.toFixed(2)}`);
    return { f1, nab: best.nab };
  });
  const [ours, ...others] = found;
  expect(ours?.f1).toBeGreaterThan(Math.max(...others.map(({ f1 }) => f1)));
  expect(ours?.nab).toBeGreaterThan(Math.max(...others.map(({ nab }) => nab)));
  expect(ours?.f1).toBeGreaterThan(0.58);
});

/** PELT for the mean with the usual penalty, 3 ln n. */
function usual(values: readonly number[]): readonly number[] {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const sigma = Math.sqrt(squares / values.length) || 1;
  const sums = sumsOf(Float64Array.from(values, (one) => (one - mean) / sigma));
  const cost = costOf(sums, FAMILIES[0] as Family, 1, 0);
  const penalty = 3 * Math.log(values.length);
  return pelt({ length: values.length, cost, penalty, segment_min: 2 });
}

test('changePoints beats PELT with the usual penalty on records that nothing was tuned on', () => {
  const worlds = UNSEEN_CHANGE_KINDS.flatMap((kind) =>
    [...SEEDS, 104, 105].map((seed) => unseenChange(kind, seed)),
  );
  const judge = (name: string, find: (values: readonly number[]) => readonly number[]) => {
    let [f1, cover] = [0, 0];
    for (const { values, changes } of worlds) {
      const found = find(values);
      f1 += changeF1(changes, found) / worlds.length;
      cover += covering(changes, found, values.length) / worlds.length;
    }
    say(`${name}: F1 ${f1.toFixed(3)}, covering ${cover.toFixed(3)}`);
    return { f1, cover };
  };
  const ours = judge('changePoints', changePoints);
  const others = [judge('PELT', usual), judge('no changes', () => [])];
  for (const other of others) {
    expect(ours.f1).toBeGreaterThan(other.f1);
    expect(ours.cover).toBeGreaterThan(other.cover);
  }
  expect(ours.f1).toBeGreaterThan(0.85);
});
