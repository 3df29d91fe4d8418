import { describe, expect, test } from 'vitest';
import type { AbEntry } from '../../src/core/ab/entry.ts';
import { SPLIT_ALPHA, splitEvidenceLn } from '../../src/core/ab/split.ts';
import { wilsonInterval } from '../../src/core/statistics.ts';
import { pickAt } from '../../src/core/unit.ts';
import { entryOf, liveThrough, type Manners, USUAL } from '../core/ab/traffic.ts';
import { seeded } from '../core/ope/worlds.ts';

/** Figures of docs/experiments.md: `npm run test:slow -- test/slow/ab-figures`. Fixed seeds. */
const RUNS = 500;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function endsOf(
  over: Partial<AbEntry>,
  mannersOf: (arm: string) => Manners,
  options: { readonly runs: number; readonly calls: number; readonly look: number },
) {
  const ends = Array.from({ length: options.runs }, (_, seed) => {
    const lived = liveThrough(entryOf(over), mannersOf, { seed, returning: 3, ...options });
    const { step } = lived.report;
    const units = lived.report.arms.reduce((sum, arm) => sum + arm.units, 0);
    return { kind: step.kind === 'stop' ? step.verdict.kind : step.kind, units };
  });
  return {
    of: (kind: string): number => ends.filter((end) => end.kind === kind).length,
    units: ends.map(({ units }) => units).sort((left, right) => left - right),
  };
}

const THREE = {
  control: { share: 0.25 },
  a: { share: 0.25, set: {} },
  b: { share: 0.25, set: {} },
  c: { share: 0.25, set: {} },
};

describe('arms that are alike, 1,000 users who come back, a look every 50 of 3,000 calls', () => {
  const cells: readonly (readonly [string, Partial<AbEntry>])[] = [
    ['dissatisfied', { metric: 'dissatisfied' }],
    ['success', { metric: 'success' }],
    ['rating', { metric: 'rating' }],
    ['latency', { metric: 'latency' }],
    ['cost', { metric: 'cost' }],
    [
      'rating with four guardrails',
      {
        metric: 'rating',
        guardrails: { success: 0, latency: 0, cost: 0, dissatisfied: 0 },
      },
    ],
    ['four arms', { arms: THREE }],
    [
      'an arm of a tenth',
      {
        arms: { control: { share: 0.9 }, small: { share: 0.1, set: {} } },
      },
    ],
  ];
  test.each(cells)(
    '%s: anything is said in at most 5 %% of runs',
    (name, over) => {
      const ends = endsOf(over, () => USUAL, { runs: RUNS, calls: 3000, look: 50 });
      const said = RUNS - ends.of('continue');
      const [, upper] = wilsonInterval(said, RUNS);
      say(`A/A, ${name}: ${said} of ${RUNS}, upper ${upper.toFixed(4)}`);
      expect(upper).toBeLessThanOrEqual(0.05);
    },
    300_000,
  );
});

/** 5,000 units into three arms as their shares say, looked at after every ten. */
function soundIsDoubted(run: number): boolean {
  const random = seeded(70_000 + run);
  const shares = [0.5, 0.3, 0.2];
  const arms = shares.map((share) => ({ share, units: 0 }));
  for (let unit = 1; unit <= 5_000; unit += 1) {
    const arm = arms[pickAt(random(), shares)];
    if (arm) arm.units += 1;
    if (unit % 10 === 0 && splitEvidenceLn(arms) >= Math.log(1 / SPLIT_ALPHA)) return true;
  }
  return false;
}

describe('the split', () => {
  test('is called unsound in at most 1 of 100 sound experiments of 5,000 units', () => {
    const runs = 2_000;
    const alarms = Array.from({ length: runs }, (_, run) => soundIsDoubted(run)).filter(
      Boolean,
    ).length;
    const [, upper] = wilsonInterval(alarms, runs);
    say(`sound splits called unsound: ${alarms} of ${runs}, upper ${upper.toFixed(4)}`);
    expect(upper).toBeLessThanOrEqual(0.01);
  }, 300_000);

  test('is called unsound where an arm loses a fifth of its units', () => {
    const runs = 100;
    const ends = Array.from({ length: runs }, (_, seed) => {
      const lost = (arm: string): number => (arm === 'control' ? 0 : 0.2);
      const over = { metric: 'latency' as const };
      return liveThrough(entryOf(over), () => USUAL, { seed, calls: 6000, look: 50, lost });
    });
    const found = ends.filter(
      ({ report: { step } }) => step.kind === 'stop' && step.verdict.kind === 'void',
    ).length;
    say(`a fifth of one arm lost, 6,000 units: void in ${found} of ${runs}`);
    expect(found).toBeGreaterThanOrEqual(95);
  }, 300_000);
});

describe('units until an arm that is truly better has won, a look every 50 calls', () => {
  const cells: readonly (readonly [string, Partial<AbEntry>, Partial<Manners>])[] = [
    ['dissatisfied 20 to 10 %', { metric: 'dissatisfied' }, { dissatisfied: 0.1 }],
    ['dissatisfied 20 to 15 %', { metric: 'dissatisfied' }, { dissatisfied: 0.15 }],
    ['rating 3.8 to 4.1', { metric: 'rating' }, { rating: 4.1 }],
    ['latency a tenth less', { metric: 'latency' }, { latency: 720 }],
    ['cost a fifth less', { metric: 'cost' }, { cost: 0.0032 }],
  ];
  test.each(cells)(
    '%s',
    (name, over, change) => {
      const better = (arm: string): Manners =>
        arm === 'control' ? USUAL : { ...USUAL, ...change };
      const runs = 100;
      const ends = endsOf(over, better, { runs, calls: 20_000, look: 50 });
      const at = (share: number): number => ends.units[Math.floor(runs * share)] ?? 0;
      say(`${name}: won ${ends.of('winner')} of ${runs}, units median ${at(0.5)}, 90 % ${at(0.9)}`);
      expect(ends.of('harm')).toBe(0);
      expect(ends.of('winner')).toBeGreaterThanOrEqual(90);
    },
    300_000,
  );
});
