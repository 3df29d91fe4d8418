import type { Snapshot, Target } from '../config/snapshot.ts';
import type { TargetView } from '../core/plugin.ts';
import type { HookRun } from './hooks.ts';
import type { Targets } from './targets.ts';

export interface Candidate {
  readonly target: Target;
  readonly view: TargetView;
  /** Nobody healthy is left: ask it although its breaker is open. */
  readonly force: boolean;
}

/**
 * Whom to try, attempt by attempt: healthy targets in the order that plugins chose, else the
 * policy's; then the same ones again; last a fallback. A fallback gets its attempt only after the
 * agent's own targets had theirs: an answer of the demo model is better than none, but worse than a
 * second try.
 */
export function tryOrder(
  run: HookRun,
  snapshot: Snapshot,
  targets: Targets,
  retries: number,
): readonly Candidate[] {
  const all = chosenTargets(run, snapshot);
  const { breaker } = snapshot.policy.resilience;
  const healthy = all.filter(({ target }) => targets.healthy(target, breaker));
  if (healthy.length === 0) {
    const first = all.find(({ target }) => target.provider.base_url !== '');
    return first ? [{ ...first, force: true }] : [];
  }
  const own = healthy.filter(({ target }) => !target.fallback_only);
  const fallbacks = healthy.filter(({ target }) => target.fallback_only);
  if (own.length === 0) return repeated(fallbacks, retries + 1);
  const reserved = retries > 0 ? fallbacks.slice(0, 1) : [];
  return [...repeated(own, retries + 1 - reserved.length), ...reserved];
}

/**
 * Each once, then the first again: where all failed once, the preferred one is the best to repeat.
 */
function repeated(candidates: readonly Candidate[], times: number): readonly Candidate[] {
  return Array.from({ length: times }, (_, index) => candidates[index % candidates.length]).filter(
    (candidate) => candidate !== undefined,
  );
}

function chosenTargets(run: HookRun, snapshot: Snapshot): readonly Candidate[] {
  const { plan, call, progress } = run;
  const names =
    call.pinned !== null
      ? [call.pinned]
      : (progress.patch.targets ?? policyOrder(plan.view.targets));
  const candidates: Candidate[] = [];
  for (const name of new Set(names)) {
    const target = snapshot.targets.get(name);
    if (!target) continue;
    const view = plan.view.targets.find((one) => one.name === name) ?? viewOf(target);
    candidates.push({ target, view, force: false });
  }
  return candidates;
}

/** Targets without weight are there for plugins to choose, or for when all others are down. */
function policyOrder(views: readonly TargetView[]): readonly string[] {
  const rank = (view: TargetView) => (view.fallback_only ? 2 : view.weight > 0 ? 0 : 1);
  return views.toSorted((left, right) => rank(left) - rank(right)).map((view) => view.name);
}

/** A target that is pinned though it is none of the agent's own. */
function viewOf({ name, fallback_only, provider }: Target): TargetView {
  return { name, weight: 0, fallback_only, adapters: provider.adapters };
}
