import type { Target } from '../config/snapshot.ts';
import type { Tokens } from '../core/call.ts';
import { NOT_YET } from '../core/decoded.ts';
import { costOf } from '../core/price.ts';
import type { CallDeps } from './conclude.ts';
import type { ResponseOwner, ResponseOwners } from './conversation/response-owners.ts';
import { countAnswer } from './count-cost.ts';
import type { HookRun } from './hooks/hooks.ts';
import { countTokens } from './record.ts';

export function ownerOf({ call, progress: { served } }: HookRun): ResponseOwner {
  const { tenant, agent } = call;
  return { tenant, agent, served };
}

/** Before a whole response leaves: its client may ask any process for it at once. */
export function tellOwner(run: HookRun, owners: Pick<ResponseOwners, 'made'>): void {
  const { completion_id, tokens } = run.progress.facts;
  if (completion_id === null) return;
  const owner = ownerOf(run);
  owners.made(completion_id, tokens === NOT_YET ? { ...owner, unpaid: run.call.id } : owner);
}

/** What is read of a response says what it has cost. */
export interface Told {
  readonly id: string;
  readonly tenant: string;
  readonly target: Target;
  readonly tokens: Tokens;
}

/**
 * A response that was made in the background is charged to its call, the first time that it tells
 * what it has cost.
 */
export function charge({ id, tenant, target, tokens }: Told, deps: CallDeps): void {
  const owner = deps.owners.paid(id, tenant);
  if (owner?.unpaid === undefined) return;
  const cost_usd = target.price === null ? null : costOf(target.price, tokens);
  const at_ms = deps.clock.policy_ms();
  deps.bus.publish({ type: 'usage', v: 1, at_ms, call: owner.unpaid, tenant, tokens, cost_usd });
  countTokens(owner.agent, tokens, deps.metrics);
  countAnswer(target, tokens, deps);
}
