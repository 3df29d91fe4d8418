import type { RecentCalls } from './recent.ts';

/** Whose a response is, and who keeps it. */
export interface ResponseOwner {
  readonly tenant: string;
  readonly agent: string;
  /** The target that gave it. */
  readonly served: string | null;
}

/**
 * Who made which response: of finished calls, as long as the process remembers them, and of the
 * streams that go on, which a client may cancel by another request.
 */
export interface ResponseOwners {
  /** A stream has begun with this response. */
  began(id: string, owner: ResponseOwner): void;
  /** It is over, and remembered as any call. */
  ended(id: string): void;
  /** `foreign` where it is another tenant's; null where nobody here knows it. */
  find(id: string, tenant: string): ResponseOwner | 'foreign' | null;
}

export function createResponseOwners(recent: Pick<RecentCalls, 'find' | 'knows'>): ResponseOwners {
  /** No more than streams are open. */
  const open = new Map<string, ResponseOwner>();
  return {
    began: (id, owner) => void open.set(id, owner),
    ended: (id) => void open.delete(id),
    find(id, tenant) {
      const streaming = open.get(id);
      if (streaming) return streaming.tenant === tenant ? streaming : 'foreign';
      const call = recent.find({ tenant, completion_id: id, policy_ms: 0 });
      if (call) return { tenant, agent: call.agent, served: call.served };
      return recent.knows(id) ? 'foreign' : null;
    },
  };
}
