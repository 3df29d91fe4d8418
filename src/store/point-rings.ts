/** Numbers of spans by key, in rings: a point is a few numbers, NaN where nothing was measured. */
export interface PointRings {
  /**
   * Keeps the points of these keys and of no others. Returns those that are new: spans that were
   * read before have no points of them.
   */
  choose(keys: Iterable<string>): readonly string[];
  /** Spans that were read and still are of the window, oldest first. */
  known(): readonly number[];
  /**
   * Of the spans of a window and their states, those that have to be read: not known, or known in
   * another state. What is no longer of the window is let go.
   */
  stale(changes: ReadonlyMap<number, number>): readonly number[];
  /** A span is about to be put anew, in this state. */
  begin(at_ms: number, change: number): void;
  /** A point of a span that was begun; a key that nobody chose is kept while it has points. */
  put(key: string, at_ms: number, point: readonly number[]): void;
  /** One number of a span that is known; NaN where there is none. */
  of(key: string): (at_ms: number, column: number) => number;
}

interface Ring {
  newest_ms: number;
  readonly values: Float64Array;
}

/**
 * Objects and boxed numbers of a fortnight of hours are tens of megabytes, and a heap of that size
 * grows by half of itself before it is collected; a block of doubles a key is a tenth of them.
 * `size` spans of `span_ms` are kept, so a window may not be longer.
 */
export function createPointRings(span_ms: number, size: number, width: number): PointRings {
  const rings = new Map<string, Ring>();
  const spans = new Map<number, number>();
  const slotOf = (at_ms: number): number => (Math.round(at_ms / span_ms) % size) * width;
  const clear = (at_ms: number): void => {
    const slot = slotOf(at_ms);
    for (const { values } of rings.values()) values.fill(Number.NaN, slot, slot + width);
  };

  const create = (key: string, newest_ms: number): Ring => {
    const ring = { newest_ms, values: new Float64Array(size * width).fill(Number.NaN) };
    rings.set(key, ring);
    return ring;
  };

  return {
    choose(keys) {
      const chosen = new Set(keys);
      for (const key of rings.keys()) if (!chosen.has(key)) rings.delete(key);
      const fresh = [...chosen].filter((key) => !rings.has(key));
      for (const key of fresh) create(key, Number.POSITIVE_INFINITY);
      return fresh;
    },
    known: () => [...spans.keys()].sort((a, b) => a - b),
    stale(changes) {
      let oldest_ms = Number.POSITIVE_INFINITY;
      for (const at_ms of changes.keys()) oldest_ms = Math.min(oldest_ms, at_ms);
      for (const at_ms of spans.keys()) {
        if (changes.has(at_ms)) continue;
        spans.delete(at_ms);
        clear(at_ms);
      }
      for (const [key, { newest_ms }] of rings) if (newest_ms < oldest_ms) rings.delete(key);
      return [...changes].flatMap(([at_ms, change]) =>
        spans.get(at_ms) === change ? [] : [at_ms],
      );
    },
    begin(at_ms, change) {
      clear(at_ms);
      spans.set(at_ms, change);
    },
    put(key, at_ms, point) {
      const ring = rings.get(key) ?? create(key, at_ms);
      ring.newest_ms = Math.max(ring.newest_ms, at_ms);
      ring.values.set(point, slotOf(at_ms));
    },
    of(key) {
      const values = rings.get(key)?.values;
      if (!values) return () => Number.NaN;
      return (at_ms, column) => values[slotOf(at_ms) + column] as number;
    },
  };
}
