import type { FindingDraft, FindingLevel, Severity } from '../finding.ts';
import type { UnitMetric } from '../observation.ts';
import type { Thresholds } from '../policy.ts';
import { type Mix, mixOf } from './mix.ts';
import { type RateTest, shownInHalves } from './rates.ts';
import { countOf, rateOf, type Scene, shapeOf } from './scene.ts';
import {
  against,
  frozenWords,
  halvesWords,
  happened,
  mixWords,
  percent,
  points,
  thousands,
} from './words.ts';
import { thresholdOf } from './yardsticks.ts';

/** From so many times the allowed errors nobody should wait for satisfaction. */
const CRITICAL_ERROR_ALLOWANCES = 3;
/** A rate that the policy states no threshold for is worth a warning from this rise on. */
const WARNING_RISE = 0.1;

/** Thresholds grade a finding; they never make one. */
export function rateSeverity(
  metric: UnitMetric,
  rate: number,
  effect: number,
  thresholds: Thresholds,
): Severity {
  const warning = thresholdOf(metric, thresholds);
  if (warning === null) return effect >= WARNING_RISE ? 'warning' : 'info';
  const critical =
    metric === 'dissatisfied'
      ? thresholds.satisfaction.dissatisfied.critical
      : warning * CRITICAL_ERROR_ALLOWANCES;
  if (rate >= critical) return 'critical';
  return rate >= warning ? 'warning' : 'info';
}

export interface DraftChoices {
  /** The most that the detector lets follow from it. */
  readonly level: FindingLevel;
  /** In place of what the halves say by themselves. */
  readonly confirmed?: boolean | null;
  /** Sentences that the detector adds, each with a space before it. */
  readonly also?: string;
  readonly since_ms?: number;
}

/** What a rate test that holds says. */
export function rateDraft(scene: Scene, test: RateTest, choices: DraftChoices): FindingDraft {
  const { cell, metric, count, yardstick, interval, p } = test;
  const { observation } = scene;
  const rate = rateOf(count);
  const mix = mixOf(scene, cell, yardstick.kind, (one) => countOf(one, metric));
  const confirmed =
    choices.confirmed === undefined ? shownInHalves(scene, test) : choices.confirmed;
  const frozen = observation.frozen.includes(cell.segment.agent);
  const sentence = sentenceOf(test);
  const { kind, value } = yardstick;
  return {
    since_ms: choices.since_ms ?? observation.at_ms,
    segment: cell.segment,
    metric,
    measure: 'share',
    level: levelOf(choices.level, mix, confirmed, frozen),
    direction: 'worse',
    estimate: rate,
    effect: rate - value,
    interval,
    yardstick: { kind, value },
    p,
    e: null,
    confirmed,
    n: count.events,
    units: count.units,
    severity: rateSeverity(metric, rate, rate - value, observation.thresholds),
    text:
      sentence +
      (choices.also ?? '') +
      halvesWords(confirmed) +
      mixWords(mix) +
      frozenWords(frozen),
    disproof: disproofOf(test),
    evidence: cell.evidence,
  };
}

/** What a change of the mix explains is told only; what is not shown twice is looked into. */
export function levelOf(
  most: FindingLevel,
  mix: Mix | null,
  confirmed: boolean | null,
  frozen: boolean,
): FindingLevel {
  if (mix !== null && mix.verdict !== 'same') return 'note';
  if (most === 'act' && (confirmed === false || frozen)) return 'investigate';
  return most;
}

function sentenceOf({ cell, metric, count, yardstick, interval }: RateTest): string {
  const { events, units } = count;
  const range = `95 % interval ${percent(interval[0])} to ${percent(interval[1])}`;
  const common =
    yardstick.common > 0
      ? ` (with the ${points(yardstick.common)} that the other targets rose by)`
      : '';
  return (
    `${happened(metric, cell.segment, events, units)}: ${percent(events / units)} (${range}), ` +
    `${against(yardstick, percent(yardstick.value))}${common}.`
  );
}

function disproofOf({ cell, count, yardstick }: RateTest): string {
  const bar = percent(yardstick.value);
  const next = `${bar} or less among the next ${thousands(count.units)} units`;
  const other =
    yardstick.kind === 'peers'
      ? ', or as much at the other targets in the same categories'
      : shapeOf(cell.segment) === 'target' || yardstick.kind === 'threshold'
        ? ''
        : ', or the same rate as before within each category and tenant';
  return `Wrong if the share falls to ${next}${other}.`;
}
