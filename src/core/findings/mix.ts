import type { Yardstick } from '../finding.ts';
import type { Quantity, SegmentObservation } from '../observation.ts';
import { countAbove } from '../statistics/sketch-reading.ts';
import { type Stratified, type Stratum, stratifiedDifference } from '../statistics/stratified.ts';
import type { Count } from '../statistics/tails.ts';
import { addCounts, type Cells, cellName, peersOf, type Scene, shapeOf } from './scene.ts';

/** The dimensions that a change of the mix may hide in. */
export type MixOf = 'category' | 'tenant' | 'target';

/**
 * What becomes of a difference once it is taken within strata. `reversed`: its sign turns.
 * `explained`: what is left is less than half of it and may be nothing.
 */
export interface Mix {
  readonly by: MixOf;
  readonly verdict: 'same' | 'explained' | 'reversed';
  readonly crude: number;
  readonly adjusted: Stratified;
}

type CountIn = (cell: SegmentObservation) => Count;

/** Strata must hold this share of a cell's units to speak for it. */
const COVERED_MIN = 0.8;
const Z_95_ONE_SIDED = 1.6448536269514722;

/**
 * Simpson's question: does the difference stand within categories, tenants and targets? The gravest
 * answer of all dimensions that can be asked, or null where none can. Targets are asked for a
 * reversal only: traffic that moved to a worse target is a finding, not an excuse.
 */
export function mixOf(
  scene: Scene,
  cell: SegmentObservation,
  kind: Yardstick['kind'],
  countIn: CountIn,
): Mix | null {
  const answers = dimensionsOf(cell, kind).flatMap((by) => {
    const strata = strataOf(scene, cell, kind, by, countIn);
    return answerOf(by, strata, countIn(cell)) ?? [];
  });
  const rank = { reversed: 0, explained: 1, same: 2 };
  return answers.sort((left, right) => rank[left.verdict] - rank[right.verdict])[0] ?? null;
}

function dimensionsOf({ segment }: SegmentObservation, kind: Yardstick['kind']): readonly MixOf[] {
  const shape = shapeOf(segment);
  if (kind === 'threshold') return [];
  if (shape === 'target') return ['category'];
  return shape === 'agent' && kind !== 'peers' ? ['category', 'tenant', 'target'] : [];
}

function strataOf(
  scene: Scene,
  { segment }: SegmentObservation,
  kind: Yardstick['kind'],
  by: MixOf,
  countIn: CountIn,
): readonly Stratum[] {
  const fixed = by === 'category' && segment.target !== null ? 'target+category' : by;
  const own = [...scene.now.values()].filter(({ segment: other }) => {
    const same = other.agent === segment.agent && shapeOf(other) === fixed;
    return same && (by === 'target' || other.target === segment.target);
  });
  return own.map((stratum) => {
    const there =
      kind === 'peers' ? peersOf(scene.now, stratum.segment) : pastOf(scene.past, stratum);
    const name = stratum.segment[by] ?? '';
    return { name, here: countIn(stratum), there: addCounts(there.map(countIn)) };
  });
}

function pastOf(past: Cells, { segment }: SegmentObservation): readonly SegmentObservation[] {
  const cell = past.get(cellName(segment));
  return cell ? [cell] : [];
}

function answerOf(by: MixOf, strata: readonly Stratum[], whole: Count): Mix | null {
  if (strata.length < 2) return null;
  const adjusted = stratifiedDifference(strata);
  if (adjusted === null || adjusted.units < COVERED_MIN * whole.units) return null;
  const [here, there] = [strata.map((one) => one.here), strata.map((one) => one.there)].map(
    addCounts,
  ) as [Count, Count];
  if (here.units === 0 || there.units === 0) return null;
  const crude = here.events / here.units - there.events / there.units;
  if (crude <= 0) return null;
  return { by, crude, adjusted, verdict: verdictOf(by, crude, adjusted) };
}

function verdictOf(by: MixOf, crude: number, adjusted: Stratified): Mix['verdict'] {
  if (adjusted.difference <= 0) return 'reversed';
  const nothing = adjusted.difference < Z_95_ONE_SIDED * adjusted.error;
  if (by !== 'target' && adjusted.difference < crude / 2 && nothing) return 'explained';
  return 'same';
}

/** Calls above a value, within strata. */
export function mixAbove(
  scene: Scene,
  cell: SegmentObservation,
  quantity: Quantity,
  kind: Yardstick['kind'],
  value: number,
): Mix | null {
  return mixOf(scene, cell, kind, ({ quantities }) => {
    const sketch = quantities[quantity];
    return sketch
      ? { units: sketch.count, events: countAbove(sketch, value) }
      : { units: 0, events: 0 };
  });
}
