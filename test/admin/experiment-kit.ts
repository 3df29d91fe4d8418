import { judgeAb } from '../../src/core/ab/judge.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { AbDetail, AbExperiments } from '../../src/oracle/ab-answers.ts';
import { entryOf } from '../core/ab/traffic.ts';

/** Experiments as the oracle answers them, of which `tone` has a winner and can be stopped. */
export function someExperiments(): AbExperiments & { readonly stopped: unknown[] } {
  const stopped: unknown[] = [];
  const show = async (name: string): Promise<AbDetail> => {
    if (name === 'tone') return toneDetail();
    throw new GatewayError('not_found', `There is no experiment ${name}.`, { param: 'name' });
  };
  return {
    stopped,
    list: async () => [toneDetail()],
    show,
    async stop(name, by, note) {
      const detail = await show(name);
      stopped.push({ name, by, note });
      return detail;
    },
  };
}

function toneDetail(): AbDetail {
  const entry = entryOf({ guardrails: { success: 0.2 }, also: ['rating'] });
  const arm = (dissatisfied: number, rating: number) => ({
    units: { assigned: 400, rated: 400, dissatisfied, error: 10 },
    means: { rating: { n: 400, mean: rating, variance: 1 } },
  });
  const counts = { control: arm(120, 3.5), friendly: arm(30, 4.25) };
  const report = judgeAb({ entry, counts, age_ms: 1e9, dropped: {} });
  const verdict = report.step.kind === 'stop' ? report.step.verdict : null;
  return {
    name: 'tone',
    run: 'tone@0a1b2c3d',
    agent: entry.agent,
    state: 'stopped',
    arms: report.arms.map(({ arm: name, share, units, dropped }) => {
      return { arm: name, share, units, dropped };
    }),
    metric: entry.metric,
    sentence: report.sentence,
    verdict,
    split: report.split,
    started_at: '2026-11-23T12:00:00.000Z',
    stopped_at: '2026-11-25T12:00:00.000Z',
    serves: 'control',
    serves_why: 'it has stopped',
    plan: 'plan_1',
    no_plan: null,
    entry,
    report,
  };
}
