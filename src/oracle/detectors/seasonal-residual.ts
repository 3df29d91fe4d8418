import { z } from 'zod';
import type { DetectorDefinition } from '../../core/finding.ts';
import { sceneOf } from '../../core/findings/scene.ts';
import { residualsOf, type Shift, shiftAt, shiftDraft } from '../../core/findings/shifts.ts';
import { seasonalResiduals } from '../../core/series/seasonal-residual.ts';
import { createTail } from '../../core/series/tail.ts';
import { eBenjaminiHochberg } from '../../core/statistics/multiplicity.ts';

const options = z.strictObject({
  /** The newest whole steps that are looked at. */
  steps: z.int().min(1).max(24).default(3),
  q: z.number().gt(0).lt(1).default(0.05),
});

const DAY_MS = 24 * 3_600_000;

/**
 * Whether the newest steps are far from their forecast: MSTL takes the seasons off, ETS carries the
 * level on, and how unusual an error is, the tail of the errors before tells. P values of steps that
 * overlap are turned into e-values and averaged, which is valid however they depend.
 */
export const definition: DetectorDefinition<z.infer<typeof options>> = {
  name: 'seasonal-residual',
  summary: 'Newest steps far from their seasonal forecast (MSTL and ETS), by e-values.',
  options,
  create: (settings) => (observation) => {
    const scene = sceneOf(observation);
    const judged = observation.series.flatMap((series) => {
      const residuals = residualsOf(scene, series);
      if (residuals === null) return [];
      const season = Math.round(DAY_MS / series.step_ms);
      const errors = seasonalResiduals(residuals.z, { seasons: [season] });
      const e = evidenceOf(errors, settings.steps);
      const shift = shiftAt(residuals, residuals.z.length - settings.steps);
      // Once a step is over it is asked once: a week has so many chances of the step's length.
      const looks = (7 * DAY_MS) / series.step_ms;
      return [{ e: e / looks, raw: e, shift }];
    });
    const rejected = eBenjaminiHochberg(
      judged.map(({ e }) => e),
      settings.q,
    );
    const held = judged.filter(({ shift }, index) => shift !== null && rejected[index]);
    const findings = held.map(({ shift, raw }) =>
      shiftDraft(scene, shift as Shift, 'far from its forecast', raw),
    );
    return { findings, insufficient: [] };
  },
};

/** The mean of e = 1 / (2 √p) over the newest errors, p from the tail of all before them. */
function evidenceOf(errors: readonly (number | null)[], steps: number): number {
  const tail = createTail();
  const first = errors.length - steps;
  const es: number[] = [];
  for (const [index, error] of errors.entries()) {
    if (error === null) continue;
    const size = Math.abs(error);
    if (index < first) tail.push(size);
    else es.push(0.5 * 10 ** (tail.surprise(size) / 2));
  }
  return es.length === 0 ? 0 : es.reduce((sum, one) => sum + one, 0) / es.length;
}
