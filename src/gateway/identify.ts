import type { Snapshot, Target } from '../config/snapshot.ts';
import type { Call, Endpoint } from '../core/call.ts';
import type { JsonObject } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { type Caller, mayUse, requireAgent } from './access.ts';
import type { Conversation } from './conversation/conversation.ts';
import type { ConversationUnits } from './conversation/conversation-units.ts';
import { hashIdentity } from './conversation/identity.ts';
import type { InboundRequest } from './front/inbound.ts';
import { clientTimeout, headerOf, type ParsedBody, relayedHeaders } from './parse.ts';

const DEFAULT_AGENT = 'default';
/** Names listed in an error message, at most. */
const NAMES_MAX = 20;

/** What is known of a call before its body has been read. */
export interface Arrival {
  readonly id: string;
  readonly request_id: string;
  readonly at_ms: number;
  readonly endpoint: Endpoint;
  readonly caller: Caller;
  readonly secret: Uint8Array;
  readonly conversation: Conversation;
  /** Of conversations without a name. */
  readonly units: ConversationUnits;
  /** The target that gave the response which this call goes on from, where it is remembered. */
  readonly continued: string | null;
}

/**
 * Who a call belongs to and what it asks for (docs/architecture.md: units). Throws GatewayError for
 * an agent or a model that does not exist, or that the caller may not use.
 */
export function identify(
  request: InboundRequest,
  parsed: ParsedBody,
  snapshot: Snapshot,
  arrival: Arrival,
): Call {
  const { body, raw, model, stream } = parsed;
  const { caller, endpoint } = arrival;
  const { tenant, key } = caller;
  const agent = agentOf(request, model, snapshot, caller);
  const pinned =
    pinnedTarget(request, model, agent, snapshot, caller) ??
    continuedTarget(arrival, agent, snapshot);
  const hash = (value: string) => hashIdentity(arrival.secret, tenant, value);

  const userGiven = userOf(request, body);
  const sessionGiven = headerOf(request, 'x-session-id') ?? textAt(body.metadata, 'session_id');
  const user = userGiven === null ? null : hash(userGiven);
  const session = sessionGiven === null ? null : hash(sessionGiven);
  const unitOfCall = (): string => {
    const beginning = arrival.conversation.beginning();
    if (beginning === null) return `r:${arrival.id}`;
    const peer = request.socket.remoteAddress ?? '';
    return arrival.units({ tenant, key, agent, peer }, beginning);
  };

  return Object.freeze<Call>({
    id: arrival.id,
    request_id: arrival.request_id,
    at_ms: arrival.at_ms,
    tenant,
    key,
    agent,
    unit: user !== null ? `u:${user}` : session !== null ? `s:${session}` : unitOfCall(),
    user,
    session,
    endpoint,
    relayed: relayedHeaders(request),
    model,
    stream,
    body,
    raw,
    pinned,
    timeout_ms: clientTimeout(request),
  });
}

function userOf(request: InboundRequest, body: JsonObject): string | null {
  return (
    headerOf(request, 'x-user-id') ??
    textAt(body, 'safety_identifier') ??
    textAt(body, 'user') ??
    textAt(body.metadata, 'user_id')
  );
}

function textAt(holder: unknown, field: string): string | null {
  if (typeof holder !== 'object' || holder === null) return null;
  const value = (holder as JsonObject)[field];
  return typeof value === 'string' && value !== '' ? value : null;
}

/**
 * `x-agent-id`, else an agent named by `model`, else the key's own: `default` where it may use
 * that, else its first. What the client names and the key may not use is refused, never replaced.
 */
export function agentOf(
  request: InboundRequest,
  model: string,
  snapshot: Snapshot,
  caller: Caller,
): string {
  const asked = headerOf(request, 'x-agent-id');
  const named = asked ?? (snapshot.agents.has(model) ? model : null);
  const agent = named ?? ownAgent(caller, snapshot);
  if (agent !== null) requireAgent(caller, agent, asked === null ? 'model' : 'x-agent-id');
  if (agent !== null && snapshot.agents.has(agent)) return agent;
  const known = agentNames(snapshot, caller);
  const message =
    asked === null
      ? `No agent is called default: name one in x-agent-id. Known agents: ${known}.`
      : `There is no agent ${printable(asked)}. Known agents: ${known}.`;
  throw new GatewayError('unknown_agent', message, { param: 'x-agent-id' });
}

function ownAgent({ agents }: Caller, snapshot: Snapshot): string | null {
  if (agents === null || agents.includes(DEFAULT_AGENT)) return DEFAULT_AGENT;
  return agents.find((agent) => snapshot.agents.has(agent)) ?? null;
}

export function pinnedTarget(
  request: InboundRequest,
  model: string,
  agent: string,
  snapshot: Snapshot,
  caller: Caller,
): string | null {
  const free = model === '' || snapshot.agents.has(model);
  const named = free ? null : targetNamed(model, agent, snapshot);
  if (named === undefined) throw unknownTarget(model, 'model', snapshot, caller);
  const header = headerOf(request, 'x-hive-target');
  if (header !== null && !snapshot.targets.has(header)) {
    throw unknownTarget(header, 'x-hive-target', snapshot, caller);
  }
  const pinned = header ?? named;
  if (pinned === null || caller.agents === null || isTargetOf(agent, pinned, snapshot)) {
    return pinned;
  }
  const message = `This API key may use the targets of agent ${agent} only.`;
  const param = header === null ? 'model' : 'x-hive-target';
  throw new GatewayError('forbidden', message, { param });
}

/** A stored response is known to its own provider only: nobody else could go on from it. */
function continuedTarget(arrival: Arrival, agent: string, snapshot: Snapshot): string | null {
  const { continued, caller } = arrival;
  if (continued === null || !snapshot.targets.has(continued)) return null;
  return caller.agents === null || isTargetOf(agent, continued, snapshot) ? continued : null;
}

function isTargetOf(agent: string, target: string, snapshot: Snapshot): boolean {
  return snapshot.agents.get(agent)?.view.targets.some(({ name }) => name === target) ?? false;
}

/**
 * A target's name, or provider/model where a present target has it: one of the agent's own first.
 */
function targetNamed(model: string, agent: string, snapshot: Snapshot): string | undefined {
  if (snapshot.targets.has(model)) return model;
  const fits = (target: Target | undefined): boolean =>
    target !== undefined && `${target.provider_name}/${target.model}` === model;
  const own = snapshot.agents.get(agent)?.view.targets ?? [];
  return (
    own.find(({ name }) => fits(snapshot.targets.get(name)))?.name ??
    [...snapshot.targets.values()].find(fits)?.name
  );
}

/** Says what there is, as far as the caller may know of it. */
function unknownTarget(
  name: string,
  param: string,
  snapshot: Snapshot,
  caller: Caller,
): GatewayError {
  const shown = printable(name);
  const visible = visibleTargets(snapshot, caller);
  const absent = caller.agents === null && Object.hasOwn(snapshot.policy.targets, name);
  const what = absent
    ? `The target ${shown} is not present: its provider is not configured.`
    : `The model ${shown} does not exist.`;
  const agents = agentNames(snapshot, caller);
  const message = `${what} Known agents: ${agents}. Known targets: ${namesOf(visible)}.`;
  return new GatewayError('model_not_found', message, { param });
}

function agentNames(snapshot: Snapshot, caller: Caller): string {
  return namesOf([...snapshot.agents.keys()].filter((agent) => mayUse(caller, agent)));
}

/** The targets that a caller may name: all, or those of its agents. */
export function visibleTargets(snapshot: Snapshot, caller: Caller): readonly string[] {
  if (caller.agents === null) return [...snapshot.targets.keys()];
  const own = caller.agents.flatMap((agent) => snapshot.agents.get(agent)?.view.targets ?? []);
  return [...new Set(own.map(({ name }) => name))];
}

function namesOf(all: readonly string[]): string {
  const shown = all.slice(0, NAMES_MAX).join(', ');
  return all.length > NAMES_MAX ? `${shown}, …` : shown || 'none';
}
