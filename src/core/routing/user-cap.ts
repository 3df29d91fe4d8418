/**
 * The rewards that count where one user's may not count for everybody: of each unit the newest
 * `max` of each target. `rewards` are oldest first, and so is what is kept. A unit that speaks a
 * thousand times then weighs as much as one that speaks `max` times, whatever it says.
 */
export function cappedByUnit<One extends { readonly unit: string; readonly target: string }>(
  rewards: readonly One[],
  max: number,
): readonly One[] {
  const counts = new Map<string, number>();
  const kept: One[] = [];
  for (let at = rewards.length - 1; at >= 0; at -= 1) {
    const one = rewards[at] as One;
    const key = `${one.unit}\t${one.target}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count <= max) kept.push(one);
  }
  return kept.toReversed();
}
