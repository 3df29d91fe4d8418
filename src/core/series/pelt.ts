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
  let starts: number[] = [0];
  let waiting = 1;
  for (let end = 1; end < ends.length; end += 1) {
    const to = at(ends, end);
    // A start becomes a candidate when a whole segment fits between it and the end.
    while (waiting < end && to - at(ends, waiting) >= segment_min) {
      if (Number.isFinite(at(best, waiting))) starts.push(waiting);
      waiting += 1;
    }
    const totals = starts.map((start) => {
      const from = at(ends, start);
      return to - from < segment_min ? Number.POSITIVE_INFINITY : at(best, start) + cost(from, to);
    });
    starts.forEach((start, index) => {
      const total = at(totals, index) + penalty;
      if (total >= at(best, end)) return;
      best[end] = total;
      previous[end] = start;
    });
    const limit = at(best, end);
    starts = starts.filter((_, index) => {
      const total = at(totals, index);
      return total <= limit || total === Number.POSITIVE_INFINITY;
    });
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
