import { expect, test } from 'vitest';
import { wilsonInterval } from '../../src/core/statistics.ts';
import { summaryOfRuns } from './world-runs.ts';

/** `ATTACKED` says how many worlds each attack takes, a thousand in all; `SEED` the first seed. */
const ATTACKED = Number(process.env.ATTACKED ?? 334);
/** Only these may say that something is to be changed; all others look into things. */
const ACTING = ['dissatisfaction', 'performance-degradation'];

test.each(['loud-user', 'sybils', 'tenant-flood'])(
  '%s brings no false finding to the level of action',
  (world) => {
    const summary = summaryOfRuns({ world, count: ATTACKED, detectors: ACTING });
    const [, most] = wilsonInterval(summary.runs_with_false_at_act, summary.runs);
    console.log(`${world}: at most ${(100 * most).toFixed(1)} % of runs, 95 %`);
    expect(summary.false_at_act).toBe(0);
    expect(summary.promoted).toBe(0);
  },
);
