import { z } from 'zod';
import type { DetectorDefinition, FindingDraft, Severity } from '../../core/finding.ts';
import { type Influence, influenceOf } from '../../core/findings/influence.ts';
import { rateDraft } from '../../core/findings/rate-draft.ts';
import {
  type Candidate,
  holding,
  isMissing,
  type Missing,
  type RateTest,
  testRate,
  weekly,
} from '../../core/findings/rates.ts';
import { plannedCells, type Scene, sceneOf } from '../../core/findings/scene.ts';
import { percent, thousands } from '../../core/findings/words.ts';
import type { SegmentObservation } from '../../core/observation.ts';
import { binomialTail, type Count, fisherTail } from '../../core/statistics/tails.ts';

const options = z.strictObject({
  /** Units that rated, and dissatisfied ones, below which a share says nothing. */
  units_min: z.int().min(1).default(20),
  events_min: z.int().min(1).default(5),
  /** False findings a week that are expected where nothing is wrong. */
  q: z.number().gt(0).lt(1).default(0.1),
  /** The share of raters without whom it must still hold. */
  influence: z.number().min(0).max(0.5).default(0.05),
});
type Options = z.infer<typeof options>;

/**
 * Whether too many of those who rated were dissatisfied. A rater counts once, however often it
 * rates. To be acted on, it must hold without the most influential raters and without any one
 * tenant, so that neither one loud user, nor a few that collude, nor a tenant full of invented ones
 * changes what everybody gets.
 */
export const definition: DetectorDefinition<Options> = {
  name: 'dissatisfaction',
  summary: 'Share of raters that were dissatisfied, robust to loud and invented ones.',
  options,
  create: (settings) => (observation) => {
    const scene = sceneOf(observation);
    const insufficient: Missing[] = [];
    const candidates = plannedCells(scene).flatMap((cell): Candidate<RateTest>[] => {
      const test = testRate(scene, cell, 'dissatisfied', settings);
      if (test === null) return [];
      if (!isMissing(test))
        return [{ p_week: weekly(scene, test.p), clears: test.clears, said: test }];
      insufficient.push(test);
      return [];
    });
    const findings = holding(candidates, settings.q).map((test) => draft(scene, test, settings));
    return { findings, insufficient };
  },
};

function draft(scene: Scene, test: RateTest, { influence, q }: Options): FindingDraft {
  const { value, there } = test.yardstick;
  const p_week = (count: Count): number =>
    weekly(scene, there ? fisherTail(count, there) : binomialTail(count, value));
  const found = influenceOf(test.cell, { value, p_week, q }, influence);
  const firm = found.trimmed.holds && (found.without_tenant?.holds ?? true);
  const said = rateDraft(scene, test, {
    level: firm ? 'act' : 'investigate',
    also: ratingWords(test.cell) + influenceWords(found),
  });
  return { ...said, severity: graver(said.severity, ratingSeverity(scene, test.cell)) };
}

function ratingSeverity({ observation }: Scene, { rating_by_unit }: SegmentObservation): Severity {
  const { warning_threshold, critical_threshold } = observation.thresholds.satisfaction.rating;
  if (rating_by_unit === null || rating_by_unit > warning_threshold) return 'info';
  return rating_by_unit > critical_threshold ? 'warning' : 'critical';
}

function graver(left: Severity, right: Severity): Severity {
  const rank: readonly Severity[] = ['info', 'warning', 'critical'];
  return rank.indexOf(left) >= rank.indexOf(right) ? left : right;
}

function ratingWords({ ratings, rating_by_unit }: SegmentObservation): string {
  if (rating_by_unit === null || ratings === 0) return '';
  return ` Their typical rating is ${rating_by_unit.toFixed(1)} of 5.`;
}

function influenceWords({ trimmed, without_tenant }: Influence): string {
  const weighty = `the ${thousands(trimmed.removed)} most influential raters`;
  const without = without_tenant && `tenant ${without_tenant.tenant}`;
  if (!trimmed.holds) {
    return ` It rests on ${weighty}: without them it is ${percent(trimmed.rate)}.`;
  }
  if (without_tenant && !without_tenant.holds) {
    const { raters, rate } = without_tenant;
    const rest = `without its ${thousands(raters)} raters it is ${percent(rate)}`;
    return ` It rests on ${without}: ${rest}.`;
  }
  const either = without === null ? weighty : `${weighty}, and without ${without}`;
  return ` It holds without ${either}.`;
}
