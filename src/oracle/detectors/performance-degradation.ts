import { z } from 'zod';
import type { FindingDraft } from '../../core/finding.ts';
import {
  type Asked,
  actOptions,
  familyDetector,
  firmWords,
  rateOptions,
  type Sift,
} from '../../core/findings/family.ts';
import {
  isLasting,
  type Lasting,
  lastingLevel,
  lastingRate,
  lastingWords,
} from '../../core/findings/lasting.ts';
import { levelOnset, type Onset, rateOnset } from '../../core/findings/onset.ts';
import { levelDraft, quantileDraft } from '../../core/findings/quantile-draft.ts';
import { type QuantileTest, testQuantile } from '../../core/findings/quantiles.ts';
import { type DraftChoices, rateDraft } from '../../core/findings/rate-draft.ts';
import { isMissing, type RateTest, testRate, weekly } from '../../core/findings/rates.ts';
import { peersOf, rateOf, type Scene, seriesOf } from '../../core/findings/scene.ts';
import { timeWords } from '../../core/findings/words.ts';
import type { SegmentObservation, Series } from '../../core/observation.ts';
import { pOverLooks } from '../../core/statistics/multiplicity.ts';
import type { Count } from '../../core/statistics/tails.ts';
import { wilsonInterval } from '../../core/statistics.ts';

const options = z.strictObject({
  ...rateOptions(0.1),
  ...actOptions,
  /** A rise of latency by less than this share is not told. */
  margin: z.number().min(0).default(0.05),
  /** Correlation of the latencies of one user's calls. */
  correlation: z.number().min(0).max(1).default(0.1),
});
type Options = z.infer<typeof options>;

const RATES = ['error', 'slow'] as const;
const QUANTILES = [0.5, 0.95];
/** Newest steps that must show a rise by themselves before it is acted on. */
const STEPS_TO_ACT = 3;

/**
 * Whether an agent, or one of its targets, fails more often or answers later than it did: over the
 * whole window, and over its newest steps, so that a new fault is not drowned in a day of good
 * traffic. To be acted on it must be all but certain, and last for more than an hour.
 */
export const definition = familyDetector<Options>({
  name: 'performance-degradation',
  summary: 'Errors and latency of agents and targets against peers, own past and season.',
  options,
  ask: (scene, cell, settings, sift) => [
    ...RATES.filter((metric) => cell.rates[metric]).flatMap((metric) =>
      rates(scene, cell, metric, settings, sift),
    ),
    ...latencies(scene, cell, settings, sift),
  ],
});

function rates(
  scene: Scene,
  cell: SegmentObservation,
  metric: (typeof RATES)[number],
  settings: Options,
  sift: Sift,
): readonly Asked[] {
  const onset = rateOnset(scene, ...seriesWithPeers(scene, cell, metric));
  const recent = onset ? [recentRate(scene, cell, metric, onset, settings)] : [];
  const sure = recent.some(({ clears, p_week }) => clears && p_week < 0.01);
  const since_ms = sure && onset ? onset.since_ms : scene.observation.at_ms;
  const whole = sift(testRate(scene, cell, metric, settings)).map((test): Asked => {
    const p_week = weekly(scene, test.p);
    const said = (p_act: number): FindingDraft => {
      const choices = choicesOf(p_week <= p_act, lastingRate(scene, test));
      return rateDraft(scene, test, { ...choices, since_ms });
    };
    return { p_week, clears: test.clears, said };
  });
  return [...whole, ...recent];
}

function choicesOf(firm: boolean, lasting: Lasting | null): Pick<DraftChoices, 'level' | 'also'> {
  const level = firm && isLasting(lasting) ? 'act' : 'investigate';
  return { level, also: firmWords(firm) + lastingWords(lasting) };
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
): Asked {
  const { here, there, since_ms, p, steps } = onset;
  const count = { units: Math.round(here.units), events: Math.round(here.events) };
  const value = rateOf(there);
  const interval = wilsonInterval(count.events, count.units);
  const enough = count.units >= units_min && count.events >= events_min;
  const yardstick = { kind: 'season', value, here, there, common: 0, peers: null } as const;
  const test: RateTest = { cell, metric, count, yardstick, interval, p, clears: true };
  const since = ` That is since ${timeWords(since_ms)}, counting a unit once an hour.`;
  const p_week = pOverLooks(p, onset.windows);
  return {
    p_week,
    clears: enough && interval[0] > value,
    said: (p_act) => {
      const firm = p_week <= p_act && steps >= STEPS_TO_ACT;
      const also = since + firmWords(firm);
      return rateDraft(scene, test, { level: firm ? 'act' : 'investigate', also, since_ms });
    },
  };
}

function latencies(
  scene: Scene,
  cell: SegmentObservation,
  settings: Options,
  sift: Sift,
): readonly Asked[] {
  return (['latency_ms', 'ttft_ms'] as const).flatMap((quantity) => {
    const median = quantity === 'latency_ms' ? 'latency_p50_ms' : 'ttft_p50_ms';
    const onset = levelOnset(scene, ...seriesWithPeers(scene, cell, median));
    const fresh = onset !== null && pOverLooks(onset.p, onset.windows) < 0.01;
    const whole = QUANTILES.flatMap((share): readonly Asked[] => {
      const test = testQuantile(scene, cell, quantity, share, settings);
      // What p95 lacks is said once, by the median, which needs less.
      if (share !== 0.5 && test !== null && isMissing(test)) return [];
      const since_ms = fresh && share === 0.5 ? onset.since_ms : scene.observation.at_ms;
      return sift(test).map((one) => wholeWindow(scene, one, since_ms));
    });
    if (onset === null) return whole;
    return [...whole, recentLevel(scene, cell, quantity, onset, settings)];
  });
}

function wholeWindow(scene: Scene, test: QuantileTest, since_ms: number): Asked {
  const p_week = weekly(scene, test.p);
  const said = (p_act: number): FindingDraft => {
    const choices = choicesOf(test.firm && p_week <= p_act, lastingLevel(scene, test));
    return quantileDraft(scene, test, { ...choices, since_ms });
  };
  return { p_week, clears: test.clears, said };
}

/** The newest steps' median latency, where the whole window does not show it yet. */
function recentLevel(
  scene: Scene,
  cell: SegmentObservation,
  quantity: 'latency_ms' | 'ttft_ms',
  onset: Onset<number>,
  { margin }: Options,
): Asked {
  const { here, there, factor, p, windows } = onset;
  return {
    p_week: pOverLooks(p, windows),
    clears: here / factor > there * (1 + margin),
    said: () => levelDraft(scene, cell, quantity, onset),
  };
}
