import type { CallEvent, Relation } from '../core/event.ts';
import { createRecencyIndex } from './recency-index.ts';
import { type Asked, createRelations } from './relation.ts';

export type { Asked } from './relation.ts';

/**
 * What the gateway remembers of its last 100,000 calls: enough to say at once what feedback is
 * about, and whether a call repeats or continues an earlier one. The worker has the last word on
 * both.
 */
export interface RecentCalls {
  /** How this call relates to the unit's earlier ones; called once, before dispatch. */
  relate(asked: Asked): { readonly parent: string | null; readonly relation: Relation | null };
  /** The call has ended. */
  remember(event: CallEvent): void;
  /** The call that feedback names, of the same tenant, or null. */
  find(named: Named): RecentCall | null;
}

/** Exactly one way of naming a call; `session` finds the newest finished one within 30 minutes. */
export interface Named {
  readonly tenant: string;
  readonly call?: string | null;
  readonly completion_id?: string | null;
  readonly request_id?: string | null;
  readonly session?: string | null;
  readonly key?: string | null;
  readonly agent?: string | null;
  readonly policy_ms: number;
}

export interface RecentCall {
  readonly id: string;
  readonly at_ms: number;
  readonly agent: string;
  readonly experiment: string | null;
  readonly arm: string | null;
}

export interface RecentCallsOptions {
  /** Calls remembered; the oldest goes first. */
  readonly max: number;
  readonly policy_ms: () => number;
}

export const SESSION_WITHIN_MS = 30 * 60_000;

interface Finished {
  readonly id: string;
  readonly at_ms: number;
  readonly ended_ms: number;
  readonly tenant: string;
  readonly key: string;
  readonly agent: string;
  readonly experiment: string | null;
  readonly arm: string | null;
}

/**
 * A ring of finished calls with an index for each way of naming one; about 0.4 KB a call and
 * bounded by `max`. Rated by another name than its own id, a call is known by a 64-bit fingerprint
 * of it.
 */
export function createRecentCalls({ max, policy_ms }: RecentCallsOptions): RecentCalls {
  const relations = createRelations(max);
  const ring: Finished[] = [];
  const indexes = {
    call: createRecencyIndex(max),
    completion_id: createRecencyIndex(max),
    request_id: createRecencyIndex(max),
    session: createRecencyIndex(max),
    agent: createRecencyIndex(max),
  };
  const agents = createNames();
  let sequence = 0;

  const newest = (
    index: keyof typeof indexes,
    name: string,
    fits: (call: Finished) => boolean,
  ): RecentCall | null => {
    let found: RecentCall | null = null;
    indexes[index].newestFirst(name, sequence, (one) => {
      const call = ring[one % max];
      if (!call || !fits(call)) return 'more';
      found = call;
      return 'enough';
    });
    return found;
  };

  return {
    relate: (asked) => relations.relate(asked),
    remember(event) {
      const ended_ms = policy_ms();
      relations.ended(event.id, event.outcome, ended_ms);
      sequence += 1;
      ring[sequence % max] = finished(event, agents(event.agent), ended_ms);
      indexes.call.add(sequence, event.id);
      indexes.request_id.add(sequence, event.request_id);
      indexes.agent.add(sequence, event.agent);
      if (event.completion_id !== null) indexes.completion_id.add(sequence, event.completion_id);
      if (event.session !== null) indexes.session.add(sequence, event.session);
    },
    find(named) {
      const { tenant, key, agent, call, completion_id, request_id, session } = named;
      const ofTenant = (one: Finished): boolean => one.tenant === tenant;
      if (call) return newest('call', call, (one) => ofTenant(one) && one.id === call);
      if (completion_id) return newest('completion_id', completion_id, ofTenant);
      if (request_id) return newest('request_id', request_id, ofTenant);
      const fits = (one: Finished): boolean =>
        ofTenant(one) &&
        one.key === (key ?? one.key) &&
        one.agent === (agent ?? one.agent) &&
        named.policy_ms - one.ended_ms <= SESSION_WITHIN_MS;
      if (session) return newest('session', session, fits);
      return agent ? newest('agent', agent, fits) : null;
    },
  };
}

function finished(event: CallEvent, agent: string, ended_ms: number): Finished {
  return {
    id: event.id,
    at_ms: event.at_ms,
    ended_ms,
    tenant: event.tenant,
    key: event.key,
    agent,
    experiment: event.experiment,
    arm: event.arm,
  };
}

const NAMES_MAX = 1000;

/**
 * One string for equal names: 100,000 calls of one agent must not keep 100,000 copies of its name.
 */
function createNames(): (name: string) => string {
  const names = new Map<string, string>();
  return (name) => {
    const known = names.get(name);
    if (known !== undefined) return known;
    if (names.size < NAMES_MAX) names.set(name, name);
    return name;
  };
}
