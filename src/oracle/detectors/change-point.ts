import { z } from 'zod';
import type { DetectorDefinition } from '../../core/finding.ts';
import { type Candidate, holding } from '../../core/findings/rates.ts';
import { residualsOf } from '../../core/findings/residuals.ts';
import { sceneOf } from '../../core/findings/scene.ts';
import { mayShift, type Shift, shiftAt, shiftDraft } from '../../core/findings/shifts.ts';
import { createBocpdModel } from '../../core/series/bocpd.ts';
import { CUSUM_START, cusumStep } from '../../core/series/cusum.ts';

const options = z.strictObject({
  /** Page's slack and threshold, in standard deviations. */
  k: z.number().positive().default(0.5),
  h: z.number().positive().default(5),
  /** Belief at which Adams and MacKay's run is taken to be new. */
  belief: z.number().gt(0).lt(1).default(0.9),
  q: z.number().gt(0).lt(1).default(0.05),
});
type Options = z.infer<typeof options>;

/**
 * When the level of a series changed. CUSUM and BOCPD say where; whether it is one is for a test
 * that pays for the choice of the place, because CUSUM alone alarms once in 465 steps of nothing.
 */
export const definition: DetectorDefinition<Options> = {
  name: 'change-point',
  summary: 'Changes of level in a series: CUSUM and BOCPD say when, a test whether.',
  options,
  create: (settings, host) => (observation) => {
    const scene = sceneOf(observation, host);
    const candidates = observation.series.flatMap((series): Candidate<Shift>[] => {
      const residuals = scene.bySteps(series, () => residualsOf(scene, series));
      const p_max = settings.q / observation.series.length;
      // Where no beginning would pass, nobody need be asked for one.
      if (residuals === null || !mayShift(residuals, residuals.from, p_max)) return [];
      const onsets = [
        cusumOnset(residuals.z, residuals.from, settings),
        scene.memory.once(residuals.z, `bocpd ${settings.belief}`, () =>
          bocpdOnset(residuals.z, settings.belief),
        ),
      ];
      const shifts = onsets.flatMap((onset) =>
        onset === null ? [] : (shiftAt(residuals, onset) ?? []),
      );
      const [best] = shifts.sort((left, right) => left.p_week - right.p_week);
      if (!best) return [];
      // Series in which nothing was seen were asked as well.
      const p_week = best.p_week * observation.series.length;
      return [{ p_week, clears: best.steps >= 2, said: best }];
    });
    const found = holding(candidates, settings.q);
    const findings = found.map((shift) => shiftDraft(scene, shift, 'a change of level', null));
    return { findings, insufficient: [] };
  },
};

/** Where the side of the CUSUM that has crossed `h` last left zero; it starts with the window. */
function cusumOnset(z: readonly (number | null)[], from: number, { k, h }: Options): number | null {
  let state = CUSUM_START;
  let [up, down] = [from, from];
  for (let index = from; index < z.length; index += 1) {
    const value = z[index];
    if (value === null || value === undefined) continue;
    if (state.up === 0) up = index;
    if (state.down === 0) down = index;
    state = cusumStep(state, value, k);
  }
  if (state.up <= h && state.down <= h) return null;
  return state.up > state.down ? up : down;
}

/** Where the run that the last step belongs to began, if it is believed to be new. */
function bocpdOnset(z: readonly (number | null)[], belief: number): number | null {
  const model = createBocpdModel();
  const known = z.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  let likeliest = 0;
  let young = 0;
  for (const { value } of known) {
    const run = model.push(Math.max(-50, Math.min(50, value)));
    likeliest = run.likeliest;
    young = run.young(known.length - 1);
  }
  if (young < belief || likeliest >= known.length - 1) return null;
  return known.at(-Math.max(1, likeliest))?.index ?? null;
}
