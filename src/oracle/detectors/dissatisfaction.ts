import { z } from 'zod';
import type { FindingDraft, Severity } from '../../core/finding.ts';
import { actOptions, familyDetector, rateOptions } from '../../core/findings/family.ts';
import {
  type Bar,
  type Influence,
  influenceOf,
  strangersOf,
  withoutPraise,
} from '../../core/findings/influence.ts';
import {
  isLasting,
  lastingRate,
  lastingWords,
  standsMatured,
} from '../../core/findings/lasting.ts';
import { rateDraft } from '../../core/findings/rate-draft.ts';
import { type RateTest, testRate, weekly } from '../../core/findings/rates.ts';
import type { Scene } from '../../core/findings/scene.ts';
import { percent, thousands } from '../../core/findings/words.ts';
import type { SegmentObservation } from '../../core/observation.ts';
import { binomialTail, fisherTail } from '../../core/statistics/tails.ts';

const options = z.strictObject({
  ...rateOptions(0.1),
  ...actOptions,
  /** The share of users that may be of ill will, against whom it must still hold. */
  influence: z.number().min(0).max(0.5).default(0.05),
});
type Options = z.infer<typeof options>;

/**
 * Whether too many of those who rated were dissatisfied. A rater counts once, however often it
 * rates. To be acted on, it must hold without the most influential raters, without those that
 * nobody knows, without any one tenant and not for one hour only, so that neither a loud user, nor
 * a few that collude, nor a crowd of invented ones changes what everybody gets.
 */
export const definition = familyDetector<Options>({
  name: 'dissatisfaction',
  summary: 'Share of raters that were dissatisfied, robust to loud and invented ones.',
  options,
  ask: (scene, cell, settings, sift) =>
    sift(testRate(scene, cell, 'dissatisfied', settings)).map((test) => ({
      p_week: weekly(scene, test.p),
      clears: test.clears,
      said: (p_act: number) => draft(scene, test, settings.influence, p_act),
    })),
});

function draft(scene: Scene, test: RateTest, share: number, q: number): FindingDraft {
  const found = influenceOf(
    test.cell,
    barOf(scene, test, share, q),
    share,
    strangersOf(scene, test.cell),
  );
  const lasting = lastingRate(scene, test);
  const robust = found.trimmed.holds && (found.without_tenant?.holds ?? true);
  const matured = standsMatured(scene, test) ?? true;
  const said = rateDraft(scene, test, {
    level: robust && matured && isLasting(lasting) ? 'act' : 'investigate',
    also:
      ratingWords(test.cell) +
      influenceWords(found) +
      lastingWords(lasting) +
      (matured ? '' : UNRIPE),
  });
  return { ...said, severity: graver(said.severity, ratingSeverity(scene, test.cell)) };
}

const UNRIPE = ' It rests on feedback of the last half hour, in which the angry speak first.';

/** The yardstick as those who collude may have bent it, and the p value at which it counts. */
function barOf(scene: Scene, { yardstick }: RateTest, share: number, q: number): Bar {
  const { value, there } = yardstick;
  if (there === null) {
    return { value, p_week: (count) => weekly(scene, binomialTail(count, value)), q };
  }
  const honest = withoutPraise(there, share);
  return {
    value: (value * there.units) / Math.max(1, honest.units),
    p_week: (count) => weekly(scene, fisherTail(count, honest)),
    q,
  };
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
  const { removed, rate, holds, strangers } = trimmed;
  const weighty =
    strangers > 0 && removed <= Math.ceil(strangers)
      ? `${thousands(removed)} raters more than usual`
      : `the ${thousands(removed)} most influential raters`;
  const without = without_tenant && `tenant ${without_tenant.tenant}`;
  if (!holds) return ` It rests on ${weighty}: without them it is ${percent(rate)}.`;
  if (without_tenant && !without_tenant.holds) {
    const rest = `without its ${thousands(without_tenant.raters)} raters`;
    return ` It rests on ${without}: ${rest} it is ${percent(without_tenant.rate)}.`;
  }
  const either = without === null ? weighty : `${weighty}, and without ${without}`;
  return ` It holds without ${either}.`;
}
