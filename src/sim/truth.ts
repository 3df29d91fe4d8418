import type { Finding } from '../core/finding.ts';
import type { FindingMetric } from '../core/observation.ts';
import type { Happening, Scenario } from './scenario.ts';

/** Something that is really wrong in a world, and where a good analyst would see it. */
export interface Truth {
  readonly what: string;
  readonly agent: string;
  readonly target: string | null;
  readonly category: string | null;
  /** A finding of one of these has found it. */
  readonly metrics: readonly string[];
  /** Milliseconds since the world's beginning. */
  readonly from_ms: number;
  readonly until_ms: number;
}

export type Judged = 'true' | 'aside' | 'false';

const DAY_MS = 86_400_000;
/** What is over stays in the window, and then in the past that later windows are held against. */
const ECHO_MS = 9 * DAY_MS;

/** Changes smaller than these are no news. */
const LATENCY_LEAST = 1.1;
const SHARE_LEAST = 0.005;

export function truthsOf(scenario: Scenario): readonly Truth[] {
  const end_ms = scenario.days * DAY_MS;
  const stated = scenario.truth.map((one): Truth => {
    const { agent, target = null, category = null, metrics } = one;
    const until_ms = one.until === undefined ? end_ms : one.until * DAY_MS;
    const what = `${metrics.join(', ')} of ${target ?? agent}`;
    return { what, agent, target, category, metrics, from_ms: one.from * DAY_MS, until_ms };
  });
  return [...stated, ...scenario.happenings.flatMap((one) => truthsBy(one, scenario, end_ms))];
}

function truthsBy(happening: Happening, scenario: Scenario, end_ms: number): readonly Truth[] {
  const { model } = happening;
  const metrics = metricsOf(happening);
  if (model === undefined || metrics.length === 0) return [];
  return Object.entries(scenario.agents)
    .filter(([, agent]) => (agent.targets[model] ?? 0) > 0)
    .map(([agent]) => ({
      what: `${metrics[0]} of ${model}`,
      agent,
      target: model,
      category: null,
      metrics,
      from_ms: happening.day * DAY_MS,
      until_ms: happening.until === undefined ? end_ms : happening.until * DAY_MS,
    }));
}

function metricsOf(happening: Happening): readonly FindingMetric[] {
  const { latency, errors, down, quality, by_category, price, tokens_out } = happening;
  const drops = [quality, ...Object.values(by_category)];
  return [
    ...(down || errors >= SHARE_LEAST ? (['error'] as const) : []),
    ...(latency >= LATENCY_LEAST ? (['latency_ms', 'ttft_ms', 'slow'] as const) : []),
    ...(drops.some((drop) => drop <= -SHARE_LEAST)
      ? (['dissatisfied', 'complaint', 'regeneration'] as const)
      : []),
    ...(price >= LATENCY_LEAST ? (['cost_usd'] as const) : []),
    ...(tokens_out >= LATENCY_LEAST ? (['tokens_out', 'cost_usd'] as const) : []),
  ];
}

/** The truths that a finding has found: of its metric and cell, while it lasts. */
export function foundBy(
  finding: Pick<Finding, 'segment' | 'metric' | 'direction'>,
  t_ms: number,
  window_ms: number,
  truths: readonly Truth[],
): readonly Truth[] {
  if (finding.direction === 'better') return [];
  return truths.filter(
    (truth) =>
      truth.metrics.includes(finding.metric) &&
      touches(finding, truth) &&
      t_ms >= truth.from_ms &&
      t_ms < truth.until_ms + window_ms,
  );
}

/**
 * `true` has found what is wrong; `aside` is a consequence of it, or says that something is better;
 * `false` is of a cell in which nothing is, or was lately.
 */
export function judgedBy(
  finding: Pick<Finding, 'segment' | 'metric' | 'direction'>,
  t_ms: number,
  window_ms: number,
  truths: readonly Truth[],
): Judged {
  if (foundBy(finding, t_ms, window_ms, truths).length > 0) return 'true';
  if (finding.direction === 'better') return 'aside';
  const near = truths.some(
    (truth) =>
      truth.agent === finding.segment.agent &&
      t_ms >= truth.from_ms &&
      t_ms < truth.until_ms + ECHO_MS,
  );
  return near ? 'aside' : 'false';
}

function touches({ segment }: Pick<Finding, 'segment'>, truth: Truth): boolean {
  const { agent, target, category } = segment;
  return (
    agent === truth.agent &&
    (target === null || truth.target === null || target === truth.target) &&
    (category == null || truth.category === null || category === truth.category)
  );
}
