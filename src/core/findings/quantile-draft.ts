import type { FindingDraft, Severity } from '../finding.ts';
import type { Quantity, SegmentObservation } from '../observation.ts';
import type { Thresholds } from '../policy.ts';
import { sketchQuantile } from '../sketch.ts';
import { mixAbove } from './mix.ts';
import type { Onset } from './onset.ts';
import type { QuantileTest } from './quantiles.ts';
import { type DraftChoices, levelOf } from './rate-draft.ts';
import { cellName, type Scene } from './scene.ts';
import {
  against,
  frozenWords,
  halvesWords,
  milliseconds,
  mixWords,
  percent,
  placeOf,
  spanWords,
  thousands,
  timeWords,
} from './words.ts';

const CALLED: Partial<Record<Quantity, string>> = {
  latency_ms: 'latency',
  ttft_ms: 'time to the first token',
};

export function latencySeverity(
  quantity: Quantity,
  estimate: number,
  { performance }: Thresholds,
): Severity {
  const { warning_threshold_ms, critical_threshold_ms } = performance.response_time;
  if (quantity !== 'latency_ms') return 'info';
  if (estimate >= critical_threshold_ms) return 'critical';
  return estimate >= warning_threshold_ms ? 'warning' : 'info';
}

/** What a quantile test of milliseconds that holds says. */
export function quantileDraft(
  scene: Scene,
  test: QuantileTest,
  choices: DraftChoices,
): FindingDraft {
  const { cell, quantity, share, estimate, interval, yardstick, here, p } = test;
  const { observation } = scene;
  const { kind, value } = yardstick;
  const mix = mixAbove(scene, test.cell, quantity, kind, value);
  const confirmed = slowerInHalves(scene, test);
  const frozen = observation.frozen.includes(cell.segment.agent);
  const which = share === 0.5 ? 'median' : `p${Math.round(share * 100)}`;
  const name = `${which} ${CALLED[quantity] ?? quantity}`;
  const range = `95 % interval ${milliseconds(interval[0])} to ${milliseconds(interval[1])}`;
  const calls = `${thousands(here.units)} calls`;
  return {
    since_ms: choices.since_ms ?? observation.at_ms,
    segment: cell.segment,
    metric: quantity,
    measure: 'ms',
    level: levelOf(choices.level, mix, confirmed, frozen),
    direction: 'worse',
    estimate,
    effect: estimate - value,
    interval,
    yardstick,
    p,
    e: null,
    confirmed,
    n: here.units,
    units: cell.users,
    severity: latencySeverity(quantity, estimate, observation.thresholds),
    text:
      `The ${name} of ${placeOf(cell.segment)} is ${milliseconds(estimate)} ` +
      `(${range}, ${calls}), ` +
      `${against(yardstick, milliseconds(value))}${doubtWords(test)}: ` +
      `${percent(estimate / value - 1)} more.` +
      `${choices.also ?? ''}${halvesWords(confirmed)}${mixWords(mix)}${frozenWords(frozen)}`,
    disproof:
      `Wrong if the ${name} of the next ${calls} is ${milliseconds(value)} or less, ` +
      'or if only one category of calls is slower.',
    evidence: cell.evidence,
  };
}

/** Said where the yardstick itself is not well known. */
function doubtWords({ doubt }: QuantileTest): string {
  const half = Math.expm1(1.96 * doubt);
  return half < DOUBT_TOLD ? '' : ` (give or take ${percent(half)})`;
}
const DOUBT_TOLD = 0.03;

const WEEK_MS = 7 * 86_400_000;

/** What the newest steps of a median say, where the whole window does not show it yet. */
export function levelDraft(
  scene: Scene,
  cell: SegmentObservation,
  quantity: Quantity,
  { here, there, factor, since_ms, steps, windows, p }: Onset<number>,
): FindingDraft {
  const interval = [here / factor, here * factor] as const;
  const yardstick = { kind: 'season', value: there } as const;
  const name = `median ${CALLED[quantity] ?? quantity}`;
  const range = `95 % interval ${milliseconds(interval[0])} to ${milliseconds(interval[1])}`;
  const mix = mixAbove(scene, cell, quantity, 'season', there);
  const frozen = scene.observation.frozen.includes(cell.segment.agent);
  return {
    since_ms,
    segment: cell.segment,
    metric: quantity,
    measure: 'ms',
    level: levelOf('investigate', mix, null, frozen),
    direction: 'worse',
    estimate: here,
    effect: here - there,
    interval,
    yardstick,
    p,
    e: null,
    confirmed: null,
    n: steps,
    units: cell.users,
    severity: latencySeverity(quantity, here, scene.observation.thresholds),
    text:
      `Since ${timeWords(since_ms)} the ${name} of ${placeOf(cell.segment)} is ` +
      `${milliseconds(here)} (${range}), ${against(yardstick, milliseconds(there))}: ` +
      `${percent(here / there - 1)} more.${mixWords(mix)}${frozenWords(frozen)}`,
    disproof:
      `Wrong if it is back at ${milliseconds(there)} ` +
      `in the next ${spanWords(WEEK_MS / windows)}.`,
    evidence: cell.evidence,
  };
}

function slowerInHalves(scene: Scene, test: QuantileTest): boolean | null {
  const { cell, quantity, share, yardstick } = test;
  const sketches = scene.halves.map(
    (cells) => cells.get(cellName(cell.segment))?.quantities[quantity],
  );
  const enough = sketches.every((sketch) => sketch !== undefined && sketch.count >= 20);
  if (!enough) return null;
  return sketches.every((sketch) => sketch && sketchQuantile(sketch, share) > yardstick.value);
}
