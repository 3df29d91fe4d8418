import type { RecentCalls } from './recent.ts';

/** Whose a response is, and who keeps it. */
export interface ResponseOwner {
  readonly tenant: string;
  readonly agent: string;
  /** The target that gave it. */
  readonly served: string | null;
  /** The call that it is the answer of, where nobody knows yet what it costs. */
  readonly unpaid?: string;
}

/**
 * Who made which response: of finished calls, as long as the process remembers them; of the streams
 * that go on, which a client may cancel by another request; and of what other processes have told.
 */
export interface ResponseOwners {
  /** A whole answer is about to leave: the client may ask another process for it at once. */
  made(id: string, owner: ResponseOwner): void;
  /** A stream has begun with this response. */
  began(id: string, owner: ResponseOwner): void;
  /** It is over, and remembered as any call. */
  ended(id: string): void;
  /** Another process has made it. */
  heard(id: string, owner: ResponseOwner): void;
  /** `foreign` where it is another tenant's; null where nobody here knows it. */
  find(id: string, tenant: string): ResponseOwner | 'foreign' | null;
  /** It is told what it cost: the call that is to be charged, once, among all processes. */
  paid(id: string, tenant: string): ResponseOwner | null;
  /** A target keeps this one, which nobody here knows; whose it is, that does not say. */
  found(id: string, target: string): void;
  /** The target where it was found, or null. */
  foundAt(id: string): string | null;
}

/** Responses of other processes, those that wait, those that were found: the oldest go first. */
const HEARD_MAX = 20_000;
const UNPAID_MAX = 20_000;
const FOUND_MAX = 5000;

/** `share` tells the processes beside this one; there are none where it is absent. */
export function createResponseOwners(
  recent: Pick<RecentCalls, 'find' | 'knows'>,
  share: (id: string, owner: ResponseOwner) => void = () => {},
): ResponseOwners {
  /** No more than streams are open. */
  const open = new Map<string, ResponseOwner>();
  const elsewhere = new Map<string, ResponseOwner>();
  const places = new Map<string, string>();
  const unpaid = new Map<string, ResponseOwner>();
  const note = (id: string, owner: ResponseOwner): void => {
    if (owner.unpaid === undefined) unpaid.delete(id);
    else keep(unpaid, id, owner, UNPAID_MAX);
  };
  return {
    made(id, owner) {
      note(id, owner);
      share(id, owner);
    },
    began(id, owner) {
      open.set(id, owner);
      share(id, owner);
    },
    ended: (id) => void open.delete(id),
    heard(id, owner) {
      note(id, owner);
      keep(elsewhere, id, owner, HEARD_MAX);
    },
    find(id, tenant) {
      const told = open.get(id) ?? elsewhere.get(id);
      if (told) return told.tenant === tenant ? told : 'foreign';
      const call = recent.find({ tenant, completion_id: id, policy_ms: 0 });
      if (call) return { tenant, agent: call.agent, served: call.served };
      return recent.knows(id) ? 'foreign' : null;
    },
    paid(id, tenant) {
      const owner = unpaid.get(id);
      if (owner?.tenant !== tenant) return null;
      unpaid.delete(id);
      const { agent, served } = owner;
      share(id, { tenant, agent, served });
      return owner;
    },
    found: (id, target) => keep(places, id, target, FOUND_MAX),
    foundAt: (id) => places.get(id) ?? null,
  };
}

function keep<Value>(all: Map<string, Value>, id: string, value: Value, max: number): void {
  all.set(id, value);
  if (all.size <= max) return;
  const [oldest] = all.keys();
  if (oldest !== undefined) all.delete(oldest);
}
