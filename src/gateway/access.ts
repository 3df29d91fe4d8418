import { hash } from 'node:crypto';
import type { AccessPolicy } from '../core/access-policy.ts';
import { GatewayError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { OPEN_KEY, OPEN_TENANT } from './conversation/identity.ts';

/** On whose behalf a request is served: what the access policy says, nothing of the client's. */
export interface Caller {
  readonly tenant: string;
  /** The key's name. */
  readonly key: string;
  /** The agents that it may use, or null for all. */
  readonly agents: readonly string[] | null;
  /** What its word is taken for beyond its own: memory takes a user only from such a key. */
  readonly asserts: readonly 'user'[];
}

/** Reads a request header by its lower-case name. */
export type HeaderReader = (name: string) => string | null | undefined;

const OPEN: Caller = { tenant: OPEN_TENANT, key: OPEN_KEY, agents: null, asserts: [] };

/**
 * Who sends a request. A key is only ever looked up by its SHA-256: the policy holds no key, and a
 * lookup by hash tells nobody by its duration how much of a guess was right. Default deny.
 */
export function admit(access: AccessPolicy, header: HeaderReader): Caller {
  if (access.mode === 'open') return OPEN;
  const key = keyGiven(header);
  const digest = hash('sha256', key, 'hex');
  const entry = Object.hasOwn(access.keys, digest) ? access.keys[digest] : undefined;
  if (!entry) throw unauthorized('The API key is not known here.');
  return { tenant: entry.tenant, key: entry.name, agents: entry.agents, asserts: entry.asserts };
}

/** OpenAI's clients send a bearer token, Anthropic's one or the other, and some send both. */
function keyGiven(header: HeaderReader): string {
  const bearer = bearerOf(header('authorization') ?? '');
  const plain = header('x-api-key')?.trim() || null;
  if (bearer !== null && plain !== null && bearer !== plain) {
    const message = 'Authorization and x-api-key hold two different keys: send one.';
    throw new GatewayError('bad_request', message, { param: 'x-api-key' });
  }
  const key = bearer ?? plain;
  if (key === null) {
    throw unauthorized('An API key is needed: send it as Authorization: Bearer or x-api-key.');
  }
  return key;
}

function bearerOf(value: string): string | null {
  if (value.trim() === '') return null;
  const token = /^bearer +(\S+)\s*$/i.exec(value)?.[1];
  if (token !== undefined) return token;
  throw unauthorized('The Authorization header must be Bearer and a key.');
}

function unauthorized(message: string): GatewayError {
  return new GatewayError('unauthorized', message, { param: 'authorization' });
}

export function mayUse({ agents }: Caller, agent: string): boolean {
  return agents === null || agents.includes(agent);
}

/** Throws where the caller may not use an agent, which `param` named. */
export function requireAgent(caller: Caller, agent: string, param = 'x-agent-id'): void {
  if (mayUse(caller, agent)) return;
  const message = `This API key may not use the agent ${printable(agent)}.`;
  throw new GatewayError('forbidden', message, { param });
}
