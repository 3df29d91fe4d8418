import type { Target } from '../config/snapshot.ts';
import { afterUnref } from './clock/after.ts';
import { hedged, type Running } from './hedge.ts';
import { runAttemptHooks } from './hooks/hooks.ts';
import { type Tried, tryTarget } from './try-target.ts';
import type { Turn } from './turn.ts';

/** Where the policy wants it, and somebody else can be asked, a slow first token is hedged. */
export function withHedge(turn: Turn, first: Target, running: Running<Tried>): Running<Tried> {
  const { run, deps, route, resilience, failures } = turn;
  const hedge = run.plan.view.entry.hedge ?? resilience.hedge;
  if (hedge === 'off' || route.tries > 1) return running;
  let other: Target | null = null;
  const both = hedged(running, {
    after_ms: hedge.after_ms,
    after: deps.after ?? afterUnref,
    failed: (tried) => tried.kind === 'failed',
    lost: (tried) => {
      if (tried.kind !== 'failed') return;
      failures.push({ ...tried.failure, target: tried.target.name });
      route.failed(tried.target, tried.failure);
    },
    second: () => {
      const next = route.other();
      if (next === null || next.target === first) return null;
      if (!runAttemptHooks(run, next.view)) return null;
      const ticket = deps.targets.admit(next.target, resilience);
      if (ticket === null) return null;
      if (!deps.budget.spend(resilience.retry.budget)) {
        ticket.settle('neutral');
        deps.metrics.add('hive_retries_refused_total');
        return null;
      }
      deps.metrics.add('hive_hedges_total', [next.target.name]);
      route.asked(next.target);
      try {
        const second = tryTarget({ ...turn, target: next.target }, ticket);
        other = next.target;
        return second;
      } catch {
        // What this target cannot be asked for is no fault of the one that is being asked.
        return null;
      }
    },
  });
  const forgetLoser = (tried: Tried): Tried => {
    if (tried.kind === 'answered' && other !== null) {
      route.gaveUp(tried.target === first ? other : first);
    }
    return tried;
  };
  return { abort: () => both.abort(), result: both.result.then(forgetLoser) };
}
