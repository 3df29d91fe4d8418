import { z } from 'zod';
import type { DetectorDefinition } from '../../core/finding.ts';
import { type Residuals, residualsOf } from '../../core/findings/residuals.ts';
import { sceneOf } from '../../core/findings/scene.ts';
import { type Shift, shiftAt, shiftDraft } from '../../core/findings/shifts.ts';
import { madSigma } from '../../core/series/numbers.ts';
import { seasonalResiduals } from '../../core/series/seasonal-residual.ts';
import { createTail } from '../../core/series/tail.ts';
import { eBenjaminiHochberg } from '../../core/statistics/multiplicity.ts';
import { studentTail } from '../../core/statistics/tails.ts';

const options = z.strictObject({
  /** The newest whole steps that are looked at. */
  steps: z.int().min(1).max(24).default(3),
  q: z.number().gt(0).lt(1).default(0.05),
});

const DAY_MS = 24 * 3_600_000;

/**
 * Whether the newest steps are far from their forecast: MSTL takes the seasons off, ETS carries the
 * level on. P values of steps are turned into e-values and averaged, which is valid however they
 * depend, and told by the e-value form of Benjamini and Hochberg's procedure.
 */
export const definition: DetectorDefinition<z.infer<typeof options>> = {
  name: 'seasonal-residual',
  summary: 'Newest steps far from their seasonal forecast (MSTL and ETS), by e-values.',
  options,
  create: (settings, host) => (observation) => {
    const scene = sceneOf(observation, host);
    const judged = observation.series.flatMap((series) => {
      const residuals = scene.bySteps(series, () => residualsOf(scene, series));
      if (residuals === null) return [];
      // Asked all the same, so that it counts among those that were.
      if (!isOdd(residuals, settings.steps)) return [{ e: 0, raw: 0, shift: null }];
      const season = Math.round(DAY_MS / series.step_ms);
      const errors = scene.memory.once(residuals.z, 'seasonal errors', () =>
        seasonalResiduals(residuals.z, { seasons: [season] }),
      );
      const e = scene.memory.once(errors, `evidence of ${settings.steps}`, () =>
        evidenceOf(errors, settings.steps),
      );
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

/**
 * Whether a newest step is far from the level of its hour, or from the step before: the forecast
 * lies between the two, so what neither finds odd is not far from it either, and fitting one for
 * every series at every look costs more than all else that detectors do.
 */
function isOdd({ z, from }: Residuals, steps: number): boolean {
  const first = Math.max(0, z.length - steps);
  if (z.slice(first).some((value) => Math.abs(value ?? 0) > ODD)) return true;
  const jumpAt = (index: number): number | null => {
    const [value = null, before = null] = [z[index], z[index - 1]];
    return value === null || before === null ? null : value - before;
  };
  const past: number[] = [];
  for (let index = 1; index < from; index += 1) {
    const jump = jumpAt(index);
    if (jump !== null) past.push(jump);
  }
  const sigma = madSigma(past, 0);
  for (let index = first; index < z.length; index += 1) {
    if (Math.abs(jumpAt(index) ?? 0) > ODD * sigma) return true;
  }
  return false;
}
/** In standard deviations; the e-value that is told takes about six. */
const ODD = 4;

/**
 * The mean of e = 1 / (2 √p) over the newest errors: p is Student's of the error against the spread
 * of those before, and 1 where its own past has seen the like.
 */
function evidenceOf(errors: readonly (number | null)[], steps: number): number {
  const first = errors.length - steps;
  const before = errors.slice(0, first).filter((error) => error !== null);
  if (before.length < ERRORS_MIN) return 0;
  const tail = createTail();
  for (const error of before) tail.push(Math.abs(error));
  const square = before.reduce((sum, error) => sum + error * error, 0) / before.length;
  const sigma = Math.max(Math.sqrt(square), madSigma(before, 0), 1e-9);
  const es = errors.slice(first).flatMap((error) => {
    if (error === null) return [];
    if (tail.surprise(Math.abs(error)) < SURPRISE) return [0.5];
    const p = 2 * studentTail(Math.abs(error) / sigma, before.length - 1);
    return [0.5 / Math.sqrt(Math.max(p, 1e-300))];
  });
  return es.length === 0 ? 0 : es.reduce((sum, one) => sum + one, 0) / es.length;
}
const ERRORS_MIN = 60;
/** −log10 of how often the past has shown an error as large. */
const SURPRISE = 2.5;
