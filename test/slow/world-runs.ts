import { loadWorld } from '../../src/sim/load-world.ts';
import { type SimReport, type Summary, summaryOf } from '../../src/sim/report.ts';
import { runWorld } from '../../src/sim/run-world.ts';
import type { World } from '../../src/sim/scenario.ts';

/** Runs of whole worlds with their loop, for the figures that findings are held to. */

/** Moves all seeds. */
export const SEED = Number(process.env.SEED ?? 1);
/** Between two looks: what attacks and faults of a day need. `TICK_MINUTES=60` looks every hour. */
const TICK_MINUTES = Number(process.env.TICK_MINUTES ?? 240);

export interface Runs {
  readonly world: World | string;
  readonly count: number;
  /** Which detectors look; all by default. */
  readonly detectors?: readonly string[];
}

/** The summary of as many runs, said as soon as they are done. */
export function summaryOfRuns({ world: named, count, detectors }: Runs): Summary {
  const world = typeof named === 'string' ? loadWorld(named) : named;
  const scenario = { ...world.scenario, tick_minutes: TICK_MINUTES };
  const begun_ms = performance.now();
  const reports = Array.from({ length: count }, (_, index): SimReport => {
    const seed = SEED + index;
    return runWorld({ ...world, scenario }, { seed, ...(detectors ? { detectors } : {}) });
  });
  const minutes = (performance.now() - begun_ms) / 60_000;
  const calls = reports.reduce((sum, one) => sum + one.calls, 0) / count;
  const summary = summaryOf(reports);
  console.log(`${(count / minutes).toFixed(0)} runs a minute of ${calls.toFixed(0)} calls each`);
  console.log(world.name, JSON.stringify(summary));
  return summary;
}
