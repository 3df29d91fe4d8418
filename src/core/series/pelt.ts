import { at } from './numbers.ts';

/** The cost of rows `from` … `to` − 1 as one segment. */
export type SegmentCost = (from: number, to: number) => number;

export interface PeltOptions {
  readonly length: number;
  readonly cost: SegmentCost;
  /** Added for every change. */
  readonly penalty: number;
  /** Rows a segment has at least. */
  readonly segment_min: number;
  /** Changes are looked for at multiples of this only; 1 by default. */
  readonly step?: number;
}

/**
 * PELT (R. Killick, P. Fearnhead, I. A. Eckley, JASA 2012): the segmentation that minimises the sum
 * of costs and penalties, exactly over the grid. A start is dropped as soon as no later change can
 * make it the best, for a cost that never grows by splitting.
 */
export function pelt(options: PeltOptions): readonly number[] {
  const { length, cost, penalty, segment_min, step = 1 } = options;
  const ends = gridOf(length, step);
  const best = new Float64Array(ends.length).fill(Number.POSITIVE_INFINITY);
  const previous = new Int32Array(ends.length).fill(-1);
  best[0] = -penalty;
  // Candidate starts and their totals, in arrays that are written over: this is the inner loop.
  const starts = new Int32Array(ends.length);
  const totals = new Float64Array(ends.length);
  let count = 1;
  let waiting = 1;
  for (let end = 1; end < ends.length; end += 1) {
    const to = at(ends, end);
    // A start becomes a candidate when a whole segment fits between it and the end.
    while (waiting < end && to - at(ends, waiting) >= segment_min) {
      if (Number.isFinite(at(best, waiting))) starts[count++] = waiting;
      waiting += 1;
    }
    if (to < segment_min) continue;
    let least = Number.POSITIVE_INFINITY;
    for (let index = 0; index < count; index += 1) {
      const start = at(starts, index);
      const total = at(best, start) + cost(at(ends, start), to);
      totals[index] = total;
      if (total >= least) continue;
      least = total;
      previous[end] = start;
    }
    best[end] = least + penalty;
    let kept = 0;
    for (let index = 0; index < count; index += 1) {
      if (at(totals, index) <= least + penalty) starts[kept++] = at(starts, index);
    }
    count = kept;
  }
  return changesBack(ends, previous);
}

function gridOf(length: number, step: number): Int32Array {
  const count = Math.max(1, Math.floor(length / step));
  const ends = Int32Array.from({ length: count + 1 }, (_, index) => index * step);
  ends[count] = length;
  return ends;
}

function changesBack(ends: Int32Array, previous: Int32Array): readonly number[] {
  const changes: number[] = [];
  let place = at(previous, ends.length - 1);
  while (place > 0) {
    changes.push(at(ends, place));
    place = at(previous, place);
  }
  return changes.reverse();
}
