import { availableParallelism } from 'node:os';
import { loadWorld } from '../src/sim/load-world.ts';
import { runWorlds } from '../src/sim/run-worlds.ts';
import type { World } from '../src/sim/scenario.ts';

/**
 * How many runs of a world the simulator does in a minute, in process, with all detectors. Threads'
 * start is in it, and so is their compiling: a run of hundreds is what it is for.
 *
 *     node bench/sim.ts [--jobs N] [--runs N]     # N runs of the small world; a tenth of the large
 */
const numberAfter = (flag: string, fallback: number): number => {
  const at = process.argv.indexOf(flag);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const jobs = numberAfter('--jobs', availableParallelism());
const runs = numberAfter('--runs', 400);

const quiet = loadWorld('quiet');
const asked: readonly (readonly [World, number])[] = [
  [loadWorld('quick-canary'), runs],
  [
    { name: 'quiet', scenario: { ...quiet.scenario, days: 10, tick_minutes: 240 } },
    Math.ceil(runs / 10),
  ],
];

for (const [world, count] of asked) {
  const cpu = process.cpuUsage();
  const begun_ms = performance.now();
  const reports = await runWorlds(world, { seed: 1, runs: count, jobs });
  const minutes = (performance.now() - begun_ms) / 60_000;
  const { user, system } = process.cpuUsage(cpu);
  const mean = (of: (report: (typeof reports)[number]) => number): number =>
    Math.round(reports.reduce((sum, report) => sum + of(report), 0) / count);
  console.log(world.name, {
    jobs,
    runs: count,
    runs_a_minute: Math.round(count / minutes),
    cpu_ms_a_run: Math.round((user + system) / 1000 / count),
    days: world.scenario.days,
    calls: mean(({ calls }) => calls),
    looks: mean(({ ticks }) => ticks),
    canaries_decided: reports.flatMap(({ changes }) =>
      changes.filter(({ ended_day }) => ended_day !== null),
    ).length,
  });
}
