/** What a candidate came to against the prompt in force, which is (½, 1, 1). */
export interface ParetoPoint {
  /** Share of pairs won, ties as half: more is better. */
  readonly quality: number;
  /** Tokens in and out, relative: less is better. */
  readonly tokens: number;
  /** Time of an answer, relative: less is better. */
  readonly latency: number;
}

/** Whether `left` is nowhere worse than `right`, and somewhere better. */
export function dominates(left: ParetoPoint, right: ParetoPoint): boolean {
  const noWorse =
    left.quality >= right.quality && left.tokens <= right.tokens && left.latency <= right.latency;
  return (
    noWorse &&
    (left.quality > right.quality || left.tokens < right.tokens || left.latency < right.latency)
  );
}

/** Those that none dominates, the best quality first; at most `most` of them. */
export function paretoFront<Entry extends { readonly point: ParetoPoint }>(
  entries: readonly Entry[],
  most: number,
): readonly Entry[] {
  return entries
    .filter((one) => !entries.some((other) => dominates(other.point, one.point)))
    .toSorted(
      ({ point: left }, { point: right }) =>
        right.quality - left.quality || left.tokens - right.tokens || left.latency - right.latency,
    )
    .slice(0, most);
}
