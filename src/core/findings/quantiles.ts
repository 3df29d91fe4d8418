import type { Yardstick } from '../finding.ts';
import type { Quantity, SegmentObservation, Series, Sketch } from '../observation.ts';
import { normalTail } from '../series/normal.ts';
import { mergeSketches, sketchQuantile } from '../sketch.ts';
import {
  countAbove,
  dependentInterval,
  logMoments,
  valuesNeeded,
} from '../statistics/sketch-reading.ts';
import { binomialTail, type Count, fisherTail } from '../statistics/tails.ts';
import { type Effect, hoursEffect, NO_EFFECT, shrunkEffect } from './hours.ts';
import type { Missing } from './rates.ts';
import { cellName, peersIn, type Scene, seriesOf } from './scene.ts';
import { medianDispersion } from './seasons.ts';

export interface QuantileSettings {
  /** Correlation of the calls of one user: ten calls of one are fewer than of ten. */
  readonly correlation: number;
  /** A rise by less than this share is none that anybody should hear of. */
  readonly margin: number;
}

export interface QuantileTest {
  readonly cell: SegmentObservation;
  readonly quantity: Quantity;
  readonly share: number;
  readonly estimate: number;
  readonly interval: readonly [number, number];
  readonly yardstick: Yardstick;
  /** Standard error of the yardstick's logarithm: 0 of the policy's. */
  readonly doubt: number;
  /** Calls above the yardstick, and all: this side, and the other (null for a threshold). */
  readonly here: Count;
  readonly there: Count | null;
  /** How many calls weigh as much as one independent one. */
  readonly design: number;
  readonly p: number;
  /** Whether its interval lies beyond the yardstick and the margin. */
  readonly clears: boolean;
  /** Whether that is so wherever in its own interval the yardstick lies. */
  readonly firm: boolean;
}

/**
 * The quantile of a quantity against the cell's own past, corrected for the hours that the window
 * has and for what befell the agent's other targets as well: models differ in speed, so a target is
 * not slow for being slower than another. Without a past, or with one that was beyond it, the
 * policy's critical response time is the yardstick of the median. What the yardstick is made of is
 * known from data as well, so its error counts as the estimate's does.
 */
export function testQuantile(
  scene: Scene,
  cell: SegmentObservation,
  quantity: Quantity,
  share: number,
  settings: QuantileSettings,
): QuantileTest | Missing | null {
  const sketch = cell.quantities[quantity];
  if (!sketch) return null;
  const design = designOf(scene, cell, quantity, sketch, settings.correlation);
  const interval = dependentInterval(sketch, share, design);
  if (interval === null) {
    return missingCalls(scene, cell, quantity, Math.ceil(valuesNeeded(share) * design));
  }
  const held = heldAgainst(scene, cell, quantity, share, design);
  if (held === null) return null;
  const { yardstick, other, doubt } = held;
  const here = { units: sketch.count, events: countAbove(sketch, yardstick.value) };
  const there = other && {
    units: other.count,
    events: countAbove(other, sketchQuantile(other, share)),
  };
  const own = scaled(here, design);
  const exact = there ? fisherTail(own, scaled(there, design)) : binomialTail(own, 1 - share);
  const estimate = sketchQuantile(sketch, share);
  const rise = logOf(estimate) - logOf(yardstick.value);
  const own_error = errorOf(interval);
  const error = Math.hypot(own_error, doubt);
  const p = Math.max(exact, normalTail(rise / Math.max(error, 1e-9)));
  const margin = Math.log1p(settings.margin);
  const clears = rise - Z_95 * own_error > margin;
  const firm = rise - Z_95 * error > margin;
  const sides = { here, there, design };
  return { cell, quantity, share, estimate, interval, yardstick, doubt, ...sides, p, clears, firm };
}

const Z_95 = 1.959963984540054;

const logOf = (value: number): number => Math.log(Math.max(value, 1e-9));

/** The standard error of a quantile's logarithm, by its 95 % interval. */
const errorOf = ([low, high]: readonly [number, number]): number =>
  (logOf(high) - logOf(low)) / (2 * Z_95);

/** Kish's design effect, or what the past week's steps show, whichever is more. */
export function designOf(
  scene: Scene,
  { segment, calls, users }: SegmentObservation,
  quantity: Quantity,
  sketch: Sketch,
  correlation: number,
): number {
  const a_user = users > 0 ? calls / users : 1;
  const clustered = 1 + Math.max(0, a_user - 1) * correlation;
  const moments = scene.once(sketch, 'moments', () => logMoments(sketch));
  const median = MEDIANS[quantity];
  const series = median === undefined ? undefined : seriesOf(scene, segment, median);
  return Math.max(clustered, medianDispersion(scene, series, moments?.variance ?? 0));
}

const MEDIANS: Partial<Record<Quantity, Series['metric']>> = {
  latency_ms: 'latency_p50_ms',
  ttft_ms: 'ttft_p50_ms',
};

const scaled = ({ units, events }: Count, design: number): Count => ({
  units: Math.max(1, Math.round(units / design)),
  events: Math.round(events / design),
});

interface Held {
  readonly yardstick: Yardstick;
  readonly other: Sketch | null;
  readonly doubt: number;
}

function heldAgainst(
  scene: Scene,
  cell: SegmentObservation,
  quantity: Quantity,
  share: number,
  design: number,
): Held | null {
  const enough = (sketch: Sketch | null | undefined): sketch is Sketch =>
    !!sketch && sketch.count / design >= valuesNeeded(share);
  const past = scene.past.get(cellName(cell.segment))?.quantities[quantity];
  const critical = criticalOf(scene, quantity, share);
  if (enough(past) && sketchQuantile(past, share) <= critical) {
    const median = MEDIANS[quantity];
    const series = median === undefined ? undefined : seriesOf(scene, cell.segment, median);
    const hours = hoursEffect(scene, series);
    const common = commonEffect(scene, cell, quantity, share, design);
    const value = sketchQuantile(past, share) * hours.factor * common.factor;
    const own = dependentInterval(past, share, design);
    const doubt = Math.hypot(own ? errorOf(own) : 0, hours.error, common.error);
    const kind = Math.abs(hours.factor - 1) < 0.005 ? ('past' as const) : ('season' as const);
    return { yardstick: { kind, value }, other: past, doubt };
  }
  if (critical === Number.POSITIVE_INFINITY) return null;
  return { yardstick: { kind: 'threshold', value: critical }, other: null, doubt: 0 };
}

/** The policy's critical response time holds for the median; it states none of anything else. */
function criticalOf({ observation }: Scene, quantity: Quantity, share: number): number {
  if (quantity !== 'latency_ms' || share !== 0.5) return Number.POSITIVE_INFINITY;
  return observation.thresholds.performance.response_time.critical_threshold_ms;
}

/**
 * How many times slower the agent's other targets became: what befalls all is the agent's. Peers
 * that became no slower take nothing off, and add no error.
 */
function commonEffect(
  scene: Scene,
  { segment }: SegmentObservation,
  quantity: Quantity,
  share: number,
  design: number,
): Effect {
  // By the cells that it is one of: the halves of the window have cells of their own.
  const [here, there] = scene.once(
    scene.now,
    `${quantity} of peers of ${cellName(segment)}`,
    () => {
      const peers = peersIn(scene, segment);
      const past = peers.flatMap((peer) => scene.past.get(cellName(peer.segment)) ?? []);
      return [peers, past].map((cells) =>
        mergeSketches(cells.flatMap(({ quantities }) => quantities[quantity] ?? [])),
      );
    },
  );
  if (!here || !there || Math.min(here.count, there.count) < PEERS_MIN) return NO_EFFECT;
  const factor = sketchQuantile(here, share) / sketchQuantile(there, share);
  if (factor <= 1) return NO_EFFECT;
  const errors = [here, there].map((sketch) => dependentInterval(sketch, share, design));
  const error = Math.hypot(...errors.map((interval) => (interval ? errorOf(interval) : 0)));
  return shrunkEffect(Math.log(factor), error);
}
const PEERS_MIN = 200;

function missingCalls(
  { observation }: Scene,
  cell: SegmentObservation,
  metric: Quantity,
  required: number,
): Missing {
  const count = cell.quantities[metric]?.count ?? 0;
  const span_ms = observation.window.to_ms - observation.window.from_ms;
  const left = Math.max(0, required - count);
  const eta_ms = count > 0 ? Math.round(observation.at_ms + (left / count) * span_ms) : null;
  return { segment: cell.segment, metric, units: count, required, of: 'calls', eta_ms };
}
