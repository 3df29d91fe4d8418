import type { CallEvent } from '../../core/event.ts';
import { createRecencyIndex } from './recency-index.ts';
import { type Asked, createRelations, type Related } from './relation.ts';
import { createTextRing } from './text-ring.ts';

export { type Asked, type Related, UNRELATED } from './relation.ts';

/**
 * What the gateway remembers of its last 100,000 calls: enough to say at once what feedback is
 * about, and whether a call repeats or continues an earlier one. The worker has the last word on
 * both.
 */
export interface RecentCalls {
  /** How this call relates to the unit's earlier ones; called once, before dispatch. */
  relate(asked: Asked): Related;
  /** The call has ended; `place` is where it was related. */
  remember(event: CallEvent, place?: number): void;
  /** The call that feedback names, of the same tenant, or null. */
  find(named: Named): RecentCall | null;
  /** Whether a call of any tenant is known by this id of its completion. */
  knows(completion_id: string): boolean;
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
  /** The target that answered. */
  readonly served: string | null;
}

export interface RecentCallsOptions {
  /** Calls remembered; the oldest goes first. */
  readonly max: number;
  readonly policy_ms: () => number;
}

export const SESSION_WITHIN_MS = 30 * 60_000;

/** What calls of one kind have in common; kept once for all of them. */
interface Kind {
  readonly tenant: string;
  readonly key: string;
  readonly agent: string;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly served: string | null;
}

/**
 * A ring of finished calls with an index for each way of naming one, in columns outside the heap;
 * bounded by `max`. Rated by another name than its own id, a call is known by a 64-bit fingerprint
 * of it.
 */
export function createRecentCalls({ max, policy_ms }: RecentCallsOptions): RecentCalls {
  const relations = createRelations(max);
  const ids = createTextRing(max, ID_BYTES);
  const at_ms = new Float64Array(max);
  const ended_ms = new Float64Array(max);
  const kinds = Array.from<Kind | null>({ length: max }).fill(null);
  const indexes = {
    call: createRecencyIndex(max),
    completion_id: createRecencyIndex(max),
    request_id: createRecencyIndex(max),
    session: createRecencyIndex(max),
    agent: createRecencyIndex(max),
  };
  const kindOf = createKinds();
  let sequence = 0;

  const newest = (
    index: keyof typeof indexes,
    name: string,
    fits: (kind: Kind, slot: number) => boolean,
  ): RecentCall | null => {
    let found: RecentCall | null = null;
    indexes[index].newestFirst(name, sequence, (one) => {
      const slot = one % max;
      const kind = kinds[slot];
      if (!kind || !fits(kind, slot)) return 'more';
      const { agent, experiment, arm, served } = kind;
      found = { id: ids.get(slot), at_ms: at_ms[slot] as number, agent, experiment, arm, served };
      return 'enough';
    });
    return found;
  };

  return {
    relate: (asked) => relations.relate(asked),
    remember(event, place = 0) {
      const now_ms = policy_ms();
      relations.ended(place, event.outcome, now_ms);
      sequence += 1;
      const slot = sequence % max;
      ids.set(slot, event.id);
      at_ms[slot] = event.at_ms;
      ended_ms[slot] = now_ms;
      kinds[slot] = kindOf(event);
      indexes.call.add(sequence, event.id);
      indexes.agent.add(sequence, event.agent);
      // Where the client named none, the request's id is the call's.
      if (event.request_id !== event.id) indexes.request_id.add(sequence, event.request_id);
      if (event.completion_id !== null) indexes.completion_id.add(sequence, event.completion_id);
      if (event.session !== null) indexes.session.add(sequence, event.session);
    },
    find(named) {
      const { tenant, key, agent, call, completion_id, request_id, session } = named;
      const ofTenant = (kind: Kind): boolean => kind.tenant === tenant;
      const byId = (id: string) =>
        newest('call', id, (kind, slot) => ofTenant(kind) && ids.is(slot, id));
      if (call) return byId(call);
      if (completion_id) return newest('completion_id', completion_id, ofTenant);
      if (request_id) return newest('request_id', request_id, ofTenant) ?? byId(request_id);
      const fits = (kind: Kind, slot: number): boolean =>
        ofTenant(kind) &&
        kind.key === (key ?? kind.key) &&
        kind.agent === (agent ?? kind.agent) &&
        named.policy_ms - (ended_ms[slot] as number) <= SESSION_WITHIN_MS;
      if (session) return newest('session', session, fits);
      return agent ? newest('agent', agent, fits) : null;
    },
    knows: (completion_id) => newest('completion_id', completion_id, () => true) !== null,
  };
}

/** Of a call's id: `call_` and a UUID. */
const ID_BYTES = 41;
const KINDS_MAX = 1000;

/**
 * One object for equal kinds: 100,000 calls of one agent must not keep 100,000 of them. Calls in a
 * row are mostly of one kind, which costs no look-up.
 */
function createKinds(): (event: CallEvent) => Kind {
  const kinds = new Map<string, Kind>();
  let last: Kind = { tenant: '', key: '', agent: '', experiment: null, arm: null, served: null };
  return ({ tenant, key, agent, experiment, arm, served }) => {
    const same =
      last.agent === agent &&
      last.tenant === tenant &&
      last.key === key &&
      last.experiment === experiment &&
      last.arm === arm &&
      last.served === served;
    if (same) return last;
    const name = JSON.stringify([tenant, key, agent, experiment, arm, served]);
    last = kinds.get(name) ?? { tenant, key, agent, experiment, arm, served };
    if (kinds.size < KINDS_MAX) kinds.set(name, last);
    return last;
  };
}
