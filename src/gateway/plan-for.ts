import type { AgentPlan, Snapshot } from '../config/snapshot.ts';
import type { Call } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import { pathOfEndpoint } from './endpoints.ts';

/**
 * The plan as one endpoint sees it: targets that cannot serve it are no candidates, for plugins and
 * the record neither. Throws `not_found` where none is left, or the pinned one cannot.
 */
export function planFor(call: Call, plan: AgentPlan, snapshot: Snapshot): AgentPlan {
  const { endpoint, pinned, agent } = call;
  const serves = (name: string): boolean =>
    snapshot.targets.get(name)?.provider.endpoints.includes(endpoint) ?? false;
  if (pinned !== null) {
    if (serves(pinned)) return plan;
    throw unserved(`The target ${pinned}`, 'does not serve', call);
  }
  const { view } = plan;
  if (view.targets.every(({ name }) => serves(name))) return plan;
  const targets = view.targets.filter(({ name }) => serves(name));
  if (targets.length === 0) throw unserved(`No target of agent ${agent}`, 'serves', call);
  return { ...plan, view: { ...view, targets } };
}

function unserved(who: string, what: string, { endpoint }: Call): GatewayError {
  const message = `${who} ${what} ${pathOfEndpoint(endpoint)}.`;
  return new GatewayError('not_found', message, { param: 'model' });
}
