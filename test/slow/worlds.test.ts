import { describe, expect, test } from 'vitest';
import { wilsonInterval } from '../../src/core/statistics.ts';
import { loadWorld } from '../../src/sim/load-world.ts';
import { type SimReport, summaryOf } from '../../src/sim/report.ts';
import { runWorld } from '../../src/sim/run-world.ts';
import type { World } from '../../src/sim/scenario.ts';

/**
 * The figures that findings are held to, on whole worlds with their loop. `SEED` moves all seeds;
 * `WORLDS` says how many runs each quiet and each degraded world takes, `ATTACKED` how many each
 * attack takes, a thousand in all by default.
 */
const SEED = Number(process.env.SEED ?? 1);
const WORLDS = Number(process.env.WORLDS ?? 20);
const ATTACKED = Number(process.env.ATTACKED ?? 334);
/** Looks of the runs: what attacks and faults of a day need. */
const TICK_MINUTES = 240;
/** Only these may say that something is to be changed; all others look into things. */
const ACTING = ['dissatisfaction', 'performance-degradation'];

function runs(world: World, count = WORLDS, detectors?: readonly string[]): readonly SimReport[] {
  const scenario = { ...world.scenario, tick_minutes: TICK_MINUTES };
  const begun_ms = performance.now();
  const reports = Array.from({ length: count }, (_, index) =>
    runWorld({ ...world, scenario }, { seed: SEED + index, ...(detectors ? { detectors } : {}) }),
  );
  const minutes = (performance.now() - begun_ms) / 60_000;
  const calls = reports.reduce((sum, one) => sum + one.calls, 0) / count;
  console.log(`${(count / minutes).toFixed(0)} runs a minute of ${calls.toFixed(0)} calls each`);
  return reports;
}

function told(what: string, reports: readonly SimReport[]) {
  const summary = summaryOf(reports);
  console.log(what, JSON.stringify(summary));
  return summary;
}

describe('worlds with nothing wrong', () => {
  test.each(['quiet', 'season'])('%s has at most one false finding a week', (name) => {
    const summary = told(name, runs(loadWorld(name)));
    expect(summary.false_per_week).toBeLessThanOrEqual(1);
  });
});

describe('degradations', () => {
  const quiet = loadWorld('quiet');
  const degraded = (happening: object): World => ({
    name: JSON.stringify(happening),
    scenario: {
      ...quiet.scenario,
      days: 14,
      happenings: loadWorld('latency-degradation').scenario.happenings.map((one) => ({
        ...one,
        latency: 1,
        ...happening,
      })),
    },
  });

  test.each([{ latency: 1.2 }, { latency: 1.4 }, { errors: 0.03 }, { errors: 0.05 }])(
    '%j is found within 2,000 calls of its cell, 95 of 100 times',
    (happening) => {
      const { found_within, truths } = told('degradation', runs(degraded(happening)));
      expect(found_within.found / truths).toBeGreaterThanOrEqual(0.95);
    },
  );
});

describe('attacks', () => {
  test.each(['loud-user', 'sybils', 'tenant-flood'])(
    '%s brings no false finding to the level of action',
    (name) => {
      const summary = told(name, runs(loadWorld(name), ATTACKED, ACTING));
      const [, most] = wilsonInterval(summary.runs_with_false_at_act, summary.runs);
      console.log(`${name}: at most ${(100 * most).toFixed(1)} % of runs, 95 %`);
      expect(summary.false_at_act).toBe(0);
      expect(summary.promoted).toBe(0);
    },
  );
});
