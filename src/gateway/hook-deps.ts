import type { AgentPlan } from '../config/snapshot.ts';
import type { GatewayDeps } from './deps.ts';
import type { Fuse } from './hooks/fuse.ts';
import type { Fuses } from './hooks/fuses.ts';
import type { HookDeps } from './hooks/hooks.ts';

/** What the hooks of one plan need, the same for all of its calls. */
export type HookDepsOf = (plan: AgentPlan, experiment: string | null) => HookDeps;

/**
 * Fuses are kept across swaps by agent, experiment and plugin. A plan belongs to one of each, so
 * its fuses are looked up once, and again only where one was forgotten.
 */
export function createHookDeps(
  { log, metrics, clock }: Pick<GatewayDeps, 'log' | 'metrics' | 'clock'>,
  all: Fuses,
): HookDepsOf {
  const made = new WeakMap<AgentPlan, HookDeps>();
  const make = (plan: AgentPlan, experiment: string | null): HookDeps => {
    const fuses = new Map<string, Fuse>();
    return {
      log,
      metrics,
      monotonic_ms: () => clock.monotonic_ms(),
      fuse(plugin) {
        const known = fuses.get(plugin);
        if (known && !known.closed) return known;
        const found = all.of(plan.name, experiment, plugin);
        fuses.set(plugin, found);
        return found;
      },
    };
  };
  return (plan, experiment) => {
    let deps = made.get(plan);
    if (deps === undefined) {
      deps = make(plan, experiment);
      made.set(plan, deps);
    }
    return deps;
  };
}
