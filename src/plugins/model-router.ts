import { z } from 'zod';
import type { Call, CallPatch } from '../core/call.ts';
import type { PluginDefinition, Scope, TargetView } from '../core/plugin.ts';

const Options = z.strictObject({
  strategy: z.enum(['weighted']).default('weighted').describe('How the first target is chosen.'),
});

export type ModelRouterOptions = z.output<typeof Options>;

export const definition: PluginDefinition<ModelRouterOptions> = {
  name: 'model-router',
  summary: 'Chooses the target of a call by the agent’s weights, and the order of those behind it.',
  options: Options,
  create: () => ({ onRequest: route }),
};

function route(call: Call, scope: Scope): CallPatch | undefined {
  if (call.pinned !== null) return { targets: [call.pinned] };
  const own = ownTargets(scope.agent.targets);
  if (own.length === 0) return undefined;
  const chosen = chooseTarget(own, scope);
  const others = scope.agent.targets.filter((target) => target.name !== chosen);
  const behind = [...others].sort(
    (left, right) =>
      Number(left.fallback_only) - Number(right.fallback_only) || right.weight - left.weight,
  );
  return { targets: [chosen, ...behind.map((target) => target.name)] };
}

/** Fallbacks are no options while there is another target; where there is none, they are all. */
function ownTargets(targets: readonly TargetView[]): readonly TargetView[] {
  const own = targets.filter((target) => !target.fallback_only);
  return own.length > 0 ? own : targets;
}

function chooseTarget(own: readonly TargetView[], scope: Scope): string {
  const names = own.map((target) => target.name);
  const excluded = new Set(names.filter((name) => !scope.healthy(name)));
  // With none healthy the choice is made as if all were: dispatch probes it, or falls back.
  if (excluded.size === names.length) excluded.clear();
  return scope.choose('model-router', names, weightsOf(own), excluded);
}

/** Relative; even where no target has any weight. */
function weightsOf(own: readonly TargetView[]): readonly number[] {
  const weightless = own.every((target) => target.weight <= 0);
  return own.map((target) => (weightless ? 1 : target.weight));
}
