import type { Target } from '../config/snapshot.ts';
import type { Outcome, Tokens } from '../core/call.ts';
import { NOT_YET } from '../core/decoded.ts';
import type { Metrics } from '../core/metrics.ts';
import { costOf } from '../core/price.ts';
import { observeAnswer } from '../core/routing/live-figures.ts';
import type { Progress } from './hooks/progress.ts';
import type { Targets } from './targets/targets.ts';

export interface CostDeps {
  readonly targets: Pick<Targets, 'figures'>;
  readonly metrics: Metrics;
}

/** One answer that was paid for: what its target's answers usually cost, and USD in all. */
export function countAnswer(target: Target, tokens: Tokens, deps: CostDeps): void {
  const usd = target.price === null ? null : costOf(target.price, tokens);
  const figures = deps.targets.figures(target);
  if (figures) observeAnswer(figures, usd, tokens.out);
  if (usd !== null) deps.metrics.add('hive_cost_usd_total', [target.name], usd);
}

/** The answer that was given, and what was lost; those kept back were counted when they were. */
export function countGiven(
  progress: Progress,
  given: Tokens,
  outcome: Outcome['outcome'],
  deps: CostDeps,
): void {
  const { answered, escalated, facts, attempts } = progress;
  for (const { target, cost_usd = null } of attempts) {
    if (cost_usd !== null) deps.metrics.add('hive_cost_usd_total', [target], cost_usd);
  }
  if (answered === null || given === NOT_YET) return;
  if (escalated === null) {
    // Part of an answer was paid for as well, but says nothing of how long answers usually are.
    if (outcome === 'ok') countAnswer(answered, given, deps);
    else if (answered.price !== null) {
      deps.metrics.add('hive_cost_usd_total', [answered.name], costOf(answered.price, given));
    }
    return;
  }
  const again = escalated.some(({ given }) => given);
  if (!again && facts.tokens !== null) countAnswer(answered, facts.tokens, deps);
}
