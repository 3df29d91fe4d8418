import { z } from 'zod';
import type { DetectorDefinition, FindingDraft } from '../../core/finding.ts';
import { levelOnset, type Onset, rateOnset } from '../../core/findings/onset.ts';
import { levelDraft, quantileDraft } from '../../core/findings/quantile-draft.ts';
import { testQuantile } from '../../core/findings/quantiles.ts';
import { rateDraft } from '../../core/findings/rate-draft.ts';
import {
  type Candidate,
  holding,
  isMissing,
  type Missing,
  type RateTest,
  testRate,
  weekly,
} from '../../core/findings/rates.ts';
import {
  peersOf,
  plannedCells,
  rateOf,
  type Scene,
  sceneOf,
  seriesOf,
} from '../../core/findings/scene.ts';
import { timeWords } from '../../core/findings/words.ts';
import type { SegmentObservation, Series } from '../../core/observation.ts';
import { pOverLooks } from '../../core/statistics/multiplicity.ts';
import type { Count } from '../../core/statistics/tails.ts';
import { wilsonInterval } from '../../core/statistics.ts';

const options = z.strictObject({
  /** Units and units with the event below which a rate says nothing. */
  units_min: z.int().min(1).default(20),
  events_min: z.int().min(1).default(5),
  /** False findings a week that are expected where nothing is wrong. */
  q: z.number().gt(0).lt(1).default(0.1),
  /** A rise of latency by less than this share is not told. */
  margin: z.number().min(0).default(0.05),
  /** Correlation of the latencies of one user's calls. */
  correlation: z.number().min(0).max(1).default(0.1),
});
type Options = z.infer<typeof options>;

type Draft = () => FindingDraft;

const RATES = ['error', 'slow'] as const;
const QUANTILES = [0.5, 0.95];

/**
 * Whether an agent, or one of its targets, fails more often or answers later than it did: over the
 * whole window, and over its newest steps, so that a new fault is not drowned in a day of good
 * traffic.
 */
export const definition: DetectorDefinition<Options> = {
  name: 'performance-degradation',
  summary: 'Errors and latency of agents and targets against peers, own past and season.',
  options,
  create: (settings) => (observation) => {
    const scene = sceneOf(observation);
    const insufficient: Missing[] = [];
    const candidates = plannedCells(scene).flatMap((cell) => [
      ...rates(scene, cell, settings, insufficient),
      ...latencies(scene, cell, settings, insufficient),
    ]);
    return { findings: holding(candidates, settings.q).map((draft) => draft()), insufficient };
  },
};

function rates(
  scene: Scene,
  cell: SegmentObservation,
  settings: Options,
  insufficient: Missing[],
): readonly Candidate<Draft>[] {
  return RATES.filter((metric) => cell.rates[metric]).flatMap((metric) => {
    const onset = rateOnset(scene, ...seriesWithPeers(scene, cell, metric));
    const recent = onset ? [recentRate(scene, cell, metric, onset, settings)] : [];
    const test = testRate(scene, cell, metric, settings);
    if (test === null) return recent;
    if (isMissing(test)) {
      insufficient.push(test);
      return recent;
    }
    const sure = recent.some(({ clears, p_week }) => clears && p_week < 0.01);
    const since_ms = sure && onset ? onset.since_ms : scene.observation.at_ms;
    const said = (): FindingDraft => rateDraft(scene, test, { level: 'act', since_ms });
    return [{ p_week: weekly(scene, test.p), clears: test.clears, said }, ...recent];
  });
}

function seriesWithPeers(
  scene: Scene,
  { segment }: SegmentObservation,
  metric: Series['metric'],
): [Series | undefined, readonly Series[]] {
  const peers = peersOf(scene.now, segment);
  return [
    seriesOf(scene, segment, metric),
    peers.flatMap((peer) => seriesOf(scene, peer.segment, metric) ?? []),
  ];
}

/** The newest steps of a rate, told as a test of the cell they belong to. */
function recentRate(
  scene: Scene,
  cell: SegmentObservation,
  metric: (typeof RATES)[number],
  onset: Onset<Count>,
  { units_min, events_min }: Options,
): Candidate<Draft> {
  const { here, there, since_ms, p } = onset;
  const count = { units: Math.round(here.units), events: Math.round(here.events) };
  const value = rateOf(there);
  const interval = wilsonInterval(count.events, count.units);
  const enough = count.units >= units_min && count.events >= events_min;
  const yardstick = { kind: 'season', value, here, there, common: 0, peers: null } as const;
  const test: RateTest = { cell, metric, count, yardstick, interval, p, clears: true };
  const also = ` That is since ${timeWords(since_ms)}, counting a unit once an hour.`;
  return {
    p_week: pOverLooks(p, onset.windows),
    clears: enough && interval[0] > value,
    said: () => rateDraft(scene, test, { level: 'act', also, since_ms }),
  };
}

function latencies(
  scene: Scene,
  cell: SegmentObservation,
  settings: Options,
  insufficient: Missing[],
): readonly Candidate<Draft>[] {
  return (['latency_ms', 'ttft_ms'] as const).flatMap((quantity) => {
    const median = quantity === 'latency_ms' ? 'latency_p50_ms' : 'ttft_p50_ms';
    const onset = levelOnset(scene, ...seriesWithPeers(scene, cell, median));
    const fresh = onset !== null && pOverLooks(onset.p, onset.windows) < 0.01;
    const whole = QUANTILES.flatMap((share): Candidate<Draft>[] => {
      const test = testQuantile(scene, cell, quantity, share, settings);
      if (test === null) return [];
      if (isMissing(test)) {
        if (share === 0.5) insufficient.push(test);
        return [];
      }
      const since_ms = fresh && share === 0.5 ? onset.since_ms : scene.observation.at_ms;
      const said = () => quantileDraft(scene, test, { level: 'act', since_ms });
      return [{ p_week: weekly(scene, test.p), clears: test.clears, said }];
    });
    if (onset === null) return whole;
    return [...whole, recentLevel(scene, cell, quantity, onset, settings)];
  });
}

/** The newest steps' median latency, where the whole window does not show it yet. */
function recentLevel(
  scene: Scene,
  cell: SegmentObservation,
  quantity: 'latency_ms' | 'ttft_ms',
  onset: Onset<number>,
  { margin }: Options,
): Candidate<Draft> {
  const { here, there, factor, p, windows } = onset;
  return {
    p_week: pOverLooks(p, windows),
    clears: here / factor > there * (1 + margin),
    said: () => levelDraft(scene, cell, quantity, onset),
  };
}
