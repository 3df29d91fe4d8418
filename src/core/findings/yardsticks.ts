import type { Yardstick } from '../finding.ts';
import type { SegmentObservation, UnitMetric } from '../observation.ts';
import type { Thresholds } from '../policy.ts';
import type { Count } from '../statistics/tails.ts';
import { addCounts, cellName, countOf, peersIn, rateOf, type Scene, seriesOf } from './scene.ts';
import { seasonCounts } from './seasons.ts';

/** What a rate is held against, with the data behind it. */
export interface RateYardstick extends Yardstick {
  /** The two sides that the test compares; `there` is null where the value is the policy's. */
  readonly here: Count;
  readonly there: Count | null;
  /** How much of the value is what befell the agent's other targets as well. */
  readonly common: number;
  /** Those other targets, now and then; null where there are none to speak of. */
  readonly peers: { readonly here: Count; readonly there: Count } | null;
}

/** The policy's bar for a rate; null where it states none. */
export function thresholdOf(metric: UnitMetric, thresholds: Thresholds): number | null {
  if (metric === 'dissatisfied') return thresholds.satisfaction.dissatisfied.warning;
  if (metric === 'error') return 1 - thresholds.performance.success_rate.target;
  return null;
}

/**
 * What a cell's rate can be held against, the fairest first. Concurrent peers: a target against the
 * agent's others, where it is also worse than the policy allows, for that a target is a little
 * worse than another is how it is, and no degradation. Its own past: the same hours of the days
 * before where the window is no whole day, else all seven days; raised by what befell the peers as
 * well, which is the agent's trouble and not this target's. A past that is itself worse than the
 * threshold is no yardstick, or a fault that lasts a day would become normal. The policy's
 * threshold only where neither has `units_min` units.
 */
export function rateYardsticks(
  scene: Scene,
  cell: SegmentObservation,
  metric: UnitMetric,
  units_min: number,
): readonly RateYardstick[] {
  const here = countOf(cell, metric);
  const threshold = thresholdOf(metric, scene.observation.thresholds);
  const peers = addCounts(peersIn(scene, cell.segment).map((peer) => countOf(peer, metric)));
  const fair = peers.units >= units_min && rateOf(here) > (threshold ?? 1);
  const held: readonly (RateYardstick | null)[] = [
    fair
      ? { kind: 'peers', value: rateOf(peers), here, there: peers, common: 0, peers: null }
      : null,
    ownPast(scene, cell, metric, (there) => {
      return there.units >= units_min && rateOf(there) <= (threshold ?? 1);
    }),
  ];
  const found = held.filter((one) => one !== null);
  if (found.length > 0 || threshold === null) return found;
  return [{ kind: 'threshold', value: threshold, here, there: null, common: 0, peers: null }];
}

function ownPast(
  scene: Scene,
  cell: SegmentObservation,
  metric: UnitMetric,
  isGood: (there: Count) => boolean,
): RateYardstick | null {
  const here = countOf(cell, metric);
  const season = seasonCounts(scene, seriesOf(scene, cell.segment, metric));
  if (season && season.here.units > 0 && isGood(season.there)) {
    // Rates of unit-steps; told on the scale of the window's units.
    const scale = rateOf(season.here) > 0 ? rateOf(here) / rateOf(season.here) : 1;
    const value = Math.min(1, rateOf(season.there) * scale);
    return { kind: 'season', value, ...season, common: 0, peers: null };
  }
  const there = countOf(scene.past.get(cellName(cell.segment)), metric);
  if (season || !isGood(there)) return null;
  const peers = peersThenAndNow(scene, cell, metric);
  const common = peers ? Math.max(0, rateOf(peers.here) - rateOf(peers.there)) : 0;
  return { kind: 'past', value: Math.min(1, rateOf(there) + common), here, there, common, peers };
}

/** The agent's other targets now, and in their own past: what befalls all is the agent's. */
function peersThenAndNow(
  scene: Scene,
  { segment }: SegmentObservation,
  metric: UnitMetric,
): RateYardstick['peers'] {
  const now = peersIn(scene, segment);
  if (now.length === 0) return null;
  const past = scene.once(now, 'past', () =>
    now.flatMap((peer) => scene.past.get(cellName(peer.segment)) ?? []),
  );
  const [here, there] = [now, past].map((cells) =>
    addCounts(cells.map((one) => countOf(one, metric))),
  ) as [Count, Count];
  return Math.min(here.units, there.units) < PEERS_MIN ? null : { here, there };
}
const PEERS_MIN = 100;
