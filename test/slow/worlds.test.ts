import { describe, expect, test } from 'vitest';
import { loadWorld } from '../../src/sim/load-world.ts';
import type { World } from '../../src/sim/scenario.ts';
import { summaryOfRuns } from './world-runs.ts';

/** Quiet and degraded worlds; `WORLDS` says how many runs each takes, `SEED` the first seed. */
const WORLDS = Number(process.env.WORLDS ?? 20);

describe('worlds with nothing wrong', () => {
  test.each(['quiet', 'season'])('%s has at most one false finding a week', (name) => {
    const summary = summaryOfRuns({ world: name, count: WORLDS });
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
      const world = degraded(happening);
      const { found_within, truths } = summaryOfRuns({ world, count: WORLDS });
      expect(found_within.found / truths).toBeGreaterThanOrEqual(0.95);
    },
  );
});
