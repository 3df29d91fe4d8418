import { z } from 'zod';
import type { DetectorDefinition, FindingDraft } from '../finding.ts';
import type { SegmentObservation } from '../observation.ts';
import { type Candidate, holding, isMissing, type Missing } from './rates.ts';
import { plannedCells, type Scene, sceneOf } from './scene.ts';

/** Options that detectors of rates share, with how many false findings a week they may make. */
export const rateOptions = (q: number) => ({
  /** Units, and units with the event, below which a rate says nothing. */
  units_min: z.int().min(1).default(20),
  events_min: z.int().min(1).default(5),
  /** False findings a week that are expected where nothing is wrong. */
  q: z.number().gt(0).lt(1).default(q),
});

/**
 * False findings a week, where nothing is wrong, that something would be changed for: what is only
 * told may be wrong now and then, what is acted on may not.
 */
export const actOptions = { q_act: z.number().gt(0).lt(1).default(0.001) };

/**
 * What a detector asked of a cell. `said` is told the p value of a week up to which it is firm
 * enough to be acted on: the budget for it, shared among all that was asked.
 */
export type Asked = Candidate<(p_act: number) => FindingDraft>;

/** Notes what is missing, and passes on what is not. */
export type Sift = <Test extends object>(test: Test | Missing | null) => readonly Test[];

/** A detector that asks the same of every planned cell, as one family of hypotheses. */
export interface Family<Options> {
  readonly name: string;
  readonly summary: string;
  readonly options: z.ZodType<Options>;
  readonly ask: (
    scene: Scene,
    cell: SegmentObservation,
    settings: Options,
    sift: Sift,
  ) => readonly Asked[];
}

export function familyDetector<Options extends { readonly q: number; readonly q_act?: number }>({
  ask,
  ...head
}: Family<Options>): DetectorDefinition<Options> {
  return {
    ...head,
    create: (settings, host) => (observation) => {
      const scene = sceneOf(observation, host);
      const insufficient: Missing[] = [];
      const sift: Sift = (test) => {
        if (test === null) return [];
        if (!isMissing(test)) return [test];
        insufficient.push(test);
        return [];
      };
      const asked = plannedCells(scene).flatMap((cell) => ask(scene, cell, settings, sift));
      const p_act = (settings.q_act ?? 0) / Math.max(1, asked.length);
      const findings = holding(asked, settings.q).map((said) => said(p_act));
      return { findings, insufficient };
    },
  };
}

/** What is said where the evidence is enough to tell, and not to act. */
export function firmWords(firm: boolean): string {
  return firm ? '' : ' That is enough to look into, and not yet to act on.';
}
