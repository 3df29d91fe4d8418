import { timingSafeEqual } from 'node:crypto';
import { openSecretFile } from '../config/secret-file.ts';
import type { AgentPlan, Snapshot } from '../config/snapshot.ts';
import type { Call } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import { OWN_CALL_HEADER, OWN_KEY, OWN_TENANT, ownCallToken } from '../core/own-calls.ts';
import type { Caller } from './access.ts';
import type { Assignment } from './canary/assign.ts';
import { hashIdentity } from './conversation/identity.ts';
import type { RequestHead } from './front/inbound.ts';

/** Tells the oracle's own calls from those of clients. */
export type OwnCalls = (request: RequestHead) => boolean;

export const OWN_CALLER: Caller = { tenant: OWN_TENANT, key: OWN_KEY, agents: null, asserts: [] };

export function createOwnCalls(secret: Uint8Array): OwnCalls {
  const token = Buffer.from(ownCallToken(secret));
  return ({ headers }) => {
    const given = headers[OWN_CALL_HEADER];
    if (given === undefined) return false;
    const bytes = Buffer.from(String(given));
    return bytes.length === token.length && timingSafeEqual(bytes, token);
  };
}

/** How the worker reaches this gateway as the oracle, and hashes ids as it does. */
export function ownCallsFor(environment: {
  readonly host: string;
  readonly port: number;
  readonly data_dir: string;
}) {
  const { host, port, data_dir } = environment;
  const secret = openSecretFile(data_dir);
  // Who listens on every address is reached on loopback.
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host;
  return {
    gateway_url: `http://${reachable}:${port}`,
    token: () => ownCallToken(secret),
    hash: (tenant: string, value: string) => hashIdentity(secret, tenant, value),
  };
}

/** As the call was sent: no arm, and no prompt, since it brings the one that it is about. */
export function assignOwn(call: Call, snapshot: Snapshot): Assignment {
  const plan = snapshot.agents.get(call.agent);
  if (!plan) throw new GatewayError('unknown_agent', `There is no agent ${call.agent}.`);
  const { version } = snapshot;
  return { plan: withoutPrompt(plan), version, experiment: null, arm: null, share: null };
}

function withoutPrompt(plan: AgentPlan): AgentPlan {
  return plan.view.prompt === null ? plan : { ...plan, view: { ...plan.view, prompt: null } };
}
