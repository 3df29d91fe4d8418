import { createHeldBytes } from './bytes/held-bytes.ts';
import type { TurnEnd } from './clock/turn-end.ts';
import type { CallDeps } from './conclude.ts';
import { createConversationUnits } from './conversation/conversation-units.ts';
import { createResponseOwners } from './conversation/response-owners.ts';
import type { GatewayDeps } from './deps.ts';
import { createHookDeps } from './hook-deps.ts';
import type { Fuses } from './hooks/fuses.ts';
import { createOverload } from './overload.ts';
import { createOwnCalls } from './own-calls.ts';
import { createSignals } from './signals.ts';
import { createRetryBudget } from './targets/retry-budget.ts';
import { createTargets } from './targets/targets.ts';
import type { Upstream } from './upstream/upstream.ts';

/** What is made once for all calls beside what the composition root gives. */
export interface CallParts {
  readonly turn: TurnEnd;
  readonly upstream: Upstream;
  readonly fuses: Fuses;
  readonly onCallOver: () => void;
  readonly brokeOff: () => boolean;
}

/** All that calls keep between them: budgets, breakers, places, what was said before. */
export function createCallDeps(given: GatewayDeps, parts: CallParts): CallDeps {
  const { metrics, clock, secret } = given;
  const { turn, upstream, fuses, onCallOver, brokeOff } = parts;
  const watched = { metrics, monotonic_ms: () => clock.monotonic_ms() };
  return {
    ...given,
    turn,
    upstream,
    onCallOver,
    brokeOff,
    targets: createTargets(watched),
    budget: createRetryBudget(watched.monotonic_ms),
    escalations: createRetryBudget(watched.monotonic_ms),
    overload: createOverload(watched),
    bytes: createHeldBytes(metrics),
    random: () => given.random(),
    hooks: createHookDeps(given, fuses),
    signals: createSignals(given),
    units: createConversationUnits(secret),
    isOwn: createOwnCalls(secret),
    owners: given.owners ?? createResponseOwners(given.recent),
  };
}
