import type { IncomingMessage } from 'node:http';
import type { Snapshot, Target } from '../config/snapshot.ts';
import type { Call } from '../core/call.ts';
import type { JsonObject } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';
import { hashIdentity, OPEN_KEY, OPEN_TENANT } from './identity.ts';
import { type ChatBody, clientTimeout, headerOf, printable } from './parse.ts';

const DEFAULT_AGENT = 'default';
/** Names listed in an error message, at most. */
const NAMES_MAX = 20;

/** A call's identity as known before its body has been read. */
export interface Arrival {
  readonly id: string;
  readonly request_id: string;
  readonly at_ms: number;
  readonly secret: Uint8Array;
}

/**
 * Who a call belongs to and what it asks for (docs/architecture.md: units). Throws GatewayError for
 * an agent or a model that does not exist.
 */
export function identify(
  request: IncomingMessage,
  chat: ChatBody,
  snapshot: Snapshot,
  arrival: Arrival,
): Call {
  const tenant = OPEN_TENANT;
  const key = OPEN_KEY;
  const { body, raw, model, stream } = chat;
  const agent = agentOf(request, model, snapshot);
  const pinned = pinnedTarget(request, model, agent, snapshot);
  const hash = (value: string) => hashIdentity(arrival.secret, tenant, value);

  const userGiven = userOf(request, body);
  const sessionGiven = headerOf(request, 'x-session-id') ?? textAt(body.metadata, 'session_id');
  const opening = openingOf(body.messages as readonly JsonObject[]);
  const peer = request.socket.remoteAddress ?? '';
  const conversation = hash(JSON.stringify([key, agent, peer, opening.system, opening.user]));
  const user = userGiven === null ? null : hash(userGiven);
  const session = sessionGiven === null ? null : hash(sessionGiven);

  return Object.freeze<Call>({
    id: arrival.id,
    request_id: arrival.request_id,
    at_ms: arrival.at_ms,
    tenant,
    key,
    agent,
    unit: unitOf(user, session, opening.user === null ? null : conversation, arrival.id),
    user,
    session,
    conversation,
    endpoint: 'chat.completions',
    model,
    stream,
    body,
    raw,
    pinned,
    timeout_ms: clientTimeout(request),
  });
}

function unitOf(
  user: string | null,
  session: string | null,
  conversation: string | null,
  call: string,
): string {
  if (user !== null) return `u:${user}`;
  if (session !== null) return `s:${session}`;
  return conversation === null ? `r:${call}` : `c:${conversation}`;
}

function userOf(request: IncomingMessage, body: JsonObject): string | null {
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

/** What a conversation begins with: it stays the same while the conversation grows. */
function openingOf(messages: readonly JsonObject[]): { system: string; user: string | null } {
  let system = '';
  for (const message of messages) {
    if (message.role === 'system' || message.role === 'developer') {
      system += `${JSON.stringify(message.content)}\n`;
    }
    if (message.role === 'user') return { system, user: JSON.stringify(message.content ?? null) };
  }
  return { system, user: null };
}

function agentOf(request: IncomingMessage, model: string, snapshot: Snapshot): string {
  const asked = headerOf(request, 'x-agent-id');
  if (asked !== null) {
    if (snapshot.agents.has(asked)) return asked;
    const known = namesOf(snapshot.agents.keys());
    const message = `There is no agent ${printable(asked)}. Known agents: ${known}.`;
    throw new GatewayError('unknown_agent', message, { param: 'x-agent-id' });
  }
  if (snapshot.agents.has(model)) return model;
  if (snapshot.agents.has(DEFAULT_AGENT)) return DEFAULT_AGENT;
  const known = namesOf(snapshot.agents.keys());
  const message = `No agent is called default: name one in x-agent-id. Known agents: ${known}.`;
  throw new GatewayError('unknown_agent', message, { param: 'x-agent-id' });
}

function pinnedTarget(
  request: IncomingMessage,
  model: string,
  agent: string,
  snapshot: Snapshot,
): string | null {
  const named = snapshot.agents.has(model) ? null : targetNamed(model, agent, snapshot);
  if (named === undefined) throw unknownTarget(model, 'model', snapshot);
  const header = headerOf(request, 'x-hive-target');
  if (header === null) return named;
  if (!snapshot.targets.has(header)) throw unknownTarget(header, 'x-hive-target', snapshot);
  return header;
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

function unknownTarget(name: string, param: string, snapshot: Snapshot): GatewayError {
  const shown = printable(name);
  const absent = Object.hasOwn(snapshot.policy.targets, name);
  const what = absent
    ? `The target ${shown} is not present: its provider is not configured.`
    : `The model ${shown} does not exist.`;
  const agents = namesOf(snapshot.agents.keys());
  const targets = namesOf(snapshot.targets.keys());
  const message = `${what} Known agents: ${agents}. Known targets: ${targets}.`;
  return new GatewayError('model_not_found', message, { param });
}

function namesOf(names: Iterable<string>): string {
  const all = [...names];
  const shown = all.slice(0, NAMES_MAX).join(', ');
  return all.length > NAMES_MAX ? `${shown}, …` : shown || 'none';
}
