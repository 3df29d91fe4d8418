import { z } from 'zod';
import type { DetectorDefinition } from '../../core/finding.ts';
import { type Candidate, holding } from '../../core/findings/rates.ts';
import { residualsOf } from '../../core/findings/residuals.ts';
import { sceneOf } from '../../core/findings/scene.ts';
import { mayShift, type Shift, shiftAt, shiftDraft } from '../../core/findings/shifts.ts';
import { createEnsemble } from '../../core/series/ensemble.ts';

const options = z.strictObject({
  /** Newest whole steps within which an alarm is news. */
  steps: z.int().min(1).max(48).default(6),
  q: z.number().gt(0).lt(1).default(0.05),
});

const DAY_MS = 24 * 3_600_000;

/**
 * The ensemble for one series, on every series: what an experienced eye would stop at. It alarms
 * more often than anybody wants to be woken over dozens of series, so an alarm is a finding only
 * where the level since then passes a test among all series.
 */
export const definition: DetectorDefinition<z.infer<typeof options>> = {
  name: 'default',
  summary: 'The ensemble for one series, on all of them, confirmed by a test.',
  options,
  create: (settings, host) => (observation) => {
    const scene = sceneOf(observation, host);
    const candidates = observation.series.flatMap((series): Candidate<Shift>[] => {
      const residuals = scene.bySteps(series, () => residualsOf(scene, series));
      const length = residuals?.z.length ?? 0;
      const first = Math.max(residuals?.from ?? 0, length - settings.steps);
      const p_max = settings.q / observation.series.length;
      // What no beginning would pass with, the ensemble need not look for.
      if (residuals === null || !mayShift(residuals, first, p_max)) return [];
      const alarms = scene.memory.once(residuals.z, 'ensemble', () => {
        const ensemble = createEnsemble({ seasons: [Math.round(DAY_MS / series.step_ms)] });
        return residuals.z.map((value) => ensemble.push(value).alarm);
      });
      const alarm = alarms.indexOf(true, first);
      const shift = alarm < 0 ? null : shiftAt(residuals, alarm);
      if (shift === null) return [];
      return [{ p_week: shift.p_week * observation.series.length, clears: true, said: shift }];
    });
    const found = holding(candidates, settings.q);
    const findings = found.map((shift) => shiftDraft(scene, shift, 'the default ensemble', null));
    return { findings, insufficient: [] };
  },
};
