import type { Measure } from '../finding.ts';
import type { Metric } from '../observation.ts';
import type { AbEntry, AbMetric } from './entry.ts';

/**
 * What the metrics of an experiment are. Those of `units` are events that a unit shows or not: they
 * have an exact test. Those of `mean` are a number a unit: its mean over its calls or ratings.
 */
export interface MetricKind {
  readonly kind: 'units' | 'mean';
  readonly better: 'lower' | 'higher';
  /** What the store counts: of `units` the event, of `mean` a sum and what it is divided by. */
  readonly event: string;
  readonly per: string;
  /** Compared by logarithms, so that a few slow calls do not decide. */
  readonly log: boolean;
  /** Feedback counts once its call is half an hour old: the pleased rate at another speed. */
  readonly matures: boolean;
  /** What one unit of the store's number is worth. */
  readonly scale: number;
  /** What a change is a change of. */
  readonly of: string;
  /** What its values are measured in. */
  readonly measure: Measure;
  /** The same in the canary's words: what a plan of the winner must improve. */
  readonly harm: Metric;
}

const units = (event: string, per: string, of: string, harm: Metric): MetricKind => ({
  kind: 'units',
  better: 'lower',
  event,
  per,
  log: false,
  matures: per === 'rated',
  scale: 1,
  of,
  measure: 'share',
  harm,
});
const mean = (
  event: string,
  per: string,
  more: Pick<MetricKind, 'scale' | 'of' | 'measure' | 'harm'> & Partial<MetricKind>,
): MetricKind => ({
  kind: 'mean',
  better: 'lower',
  event,
  per,
  log: false,
  matures: false,
  ...more,
});

export const AB_METRICS: Readonly<Record<AbMetric, MetricKind>> = {
  success: units('error', 'assigned', 'units with a failed call', 'error'),
  abort: units('abort', 'assigned', 'units that hung up', 'abort'),
  dissatisfied: units('dissatisfied', 'rated', 'dissatisfied units', 'dissatisfied'),
  rating: mean('rating', 'ratings', {
    better: 'higher',
    matures: true,
    scale: 1e-3,
    of: 'the mean rating',
    measure: 'index',
    harm: 'dissatisfied',
  }),
  latency: mean('latency', 'ok', {
    log: true,
    scale: 1e-3,
    of: 'latency',
    measure: 'ms',
    harm: 'slow',
  }),
  ttft: mean('ttft', 'ttfts', {
    log: true,
    scale: 1e-3,
    of: 'time to first token',
    measure: 'ms',
    harm: 'slow',
  }),
  cost: mean('cost', 'ok', {
    scale: 1e-9,
    of: 'cost a call',
    measure: 'usd',
    harm: 'dissatisfied',
  }),
  tokens_out: mean('tokens_out', 'ok', {
    scale: 1,
    of: 'tokens a call',
    measure: 'tokens',
    harm: 'dissatisfied',
  }),
};

/** All that an experiment measures, what decides first. */
export function metricsOf({ metric, guardrails, also }: AbEntry): readonly AbMetric[] {
  return [...new Set([metric, ...(Object.keys(guardrails) as AbMetric[]), ...also])];
}
