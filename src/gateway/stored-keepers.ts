import type { Snapshot, Target } from '../config/snapshot.ts';
import { GatewayError } from '../core/errors.ts';
import type { UpstreamRequest } from '../core/provider.ts';
import { type Caller, mayUse } from './access.ts';
import type { ResponseOwners } from './conversation/response-owners.ts';
import type { InboundRequest } from './front/inbound.ts';
import { agentOf, pinnedTarget, visibleTargets } from './identify.ts';
import { relayedHeaders } from './parse.ts';
import type { StoredAsked } from './stored-request.ts';

/** A target that may keep a response, and what it is asked. */
export interface Keeper {
  readonly target: Target;
  readonly request: UpstreamRequest;
}

/** So many providers are asked at most for a response that nobody here remembers. */
const KEEPERS_MAX = 8;

/**
 * Who is to be asked for a response, in order: the target that is named, or gave it; where neither
 * is known, one of each provider that the caller may use and that keeps any, the agent's own first.
 * Throws GatewayError where there is none, or the response is another's.
 */
export function keepersOf(
  request: InboundRequest,
  asked: StoredAsked,
  { snapshot, caller }: { readonly snapshot: Snapshot; readonly caller: Caller },
  owners: Pick<ResponseOwners, 'find' | 'foundAt'>,
): readonly Keeper[] {
  const owner = owners.find(asked.id, caller.tenant);
  if (owner === 'foreign') throw unknownResponse(asked.id);
  if (owner !== null && !mayUse(caller, owner.agent)) throw unknownResponse(asked.id);
  const made = owner !== null && snapshot.agents.has(owner.agent) ? owner.agent : null;
  const agent = made ?? agentOf(request, '', snapshot, caller);
  const pinned = pinnedTarget(request, '', agent, snapshot, caller);
  const one = snapshot.targets.get(pinned ?? owner?.served ?? '');
  const own = (snapshot.agents.get(agent)?.view.targets ?? []).map(({ name }) => name);
  const found = owners.foundAt(asked.id);
  const visible = visibleTargets(snapshot, caller);
  const names = found !== null && visible.includes(found) ? [found] : [...own, ...visible];
  const all = one ? [one] : names.flatMap((name) => snapshot.targets.get(name) ?? []);
  const relayed = relayedHeaders(request);
  const keepers = onePerProvider(all).flatMap((target) => {
    const stored = target.provider.encodeStored?.({ ...asked, relayed });
    return stored ? [{ target, request: stored }] : [];
  });
  if (keepers.length > 0) return keepers.slice(0, KEEPERS_MAX);
  const who = one ? `The target ${one.name} keeps` : `No target of agent ${agent} keeps`;
  throw new GatewayError('not_found', `${who} no responses.`, { param: 'response_id' });
}

/** What one provider keeps is kept for all targets at it. */
function onePerProvider(targets: readonly Target[]): readonly Target[] {
  const first = new Map<Target['provider'], Target>();
  for (const target of targets) {
    if (!first.has(target.provider)) first.set(target.provider, target);
  }
  return [...first.values()];
}

/** In the provider's words: whose it is, is nobody else's business. */
function unknownResponse(id: string): GatewayError {
  const message = `Response with id '${id}' not found.`;
  return new GatewayError('not_found', message, { param: 'response_id' });
}
