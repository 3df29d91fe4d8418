import { type FeedbackEvent, isDissatisfied, isVerdict } from '../core/event.ts';
import type { Fact, Verdict } from './facts.ts';

/** What of the calls feedback is matched to, by the rules of the store (docs/oracle.md). */
export interface Hearing {
  /** Makes a call known, so that feedback can name it. */
  know(fact: Fact, session: string | null): void;
  find(call: string): Fact | null;
  /** Who is meant, and what becomes of it there; null where it counts for nothing. */
  hear(event: FeedbackEvent): Heard | null;
}

export type Heard =
  | { readonly of: 'call'; readonly fact: Fact; readonly verdict: Verdict }
  | { readonly of: 'agent'; readonly agent: string; readonly verdict: Verdict };

/** How long before feedback its session's call may have begun. */
const MATCH_MS = 30 * 60_000;
/** Within this of each other, the same said twice of an agent is said once. */
const SAME_MS = 86_400_000;
/** A call that nobody rated for so long is forgotten. */
const KEPT_MAX = 200_000;

export function createHearing(): Hearing {
  const calls = new Map<string, Fact>();
  const sessions = new Map<string, Fact>();
  const said = new Map<string, { readonly value: number; readonly at_ms: number }>();

  const factOf = (event: FeedbackEvent): Fact | null => {
    if (event.call !== null) {
      const fact = calls.get(event.call) ?? null;
      return fact && fact.tenant === event.tenant ? fact : null;
    }
    const fact = sessions.get(`${event.tenant}\0${event.session}`);
    if (event.session === null || !fact) return null;
    const near = fact.at_ms <= event.at_ms && fact.at_ms >= event.at_ms - MATCH_MS;
    return near && (event.agent === null || event.agent === fact.agent) ? fact : null;
  };

  return {
    know(fact, session) {
      calls.set(fact.id, fact);
      if (session !== null) sessions.set(`${fact.tenant}\0${session}`, fact);
      if (calls.size <= KEPT_MAX) return;
      const [oldest] = calls.keys();
      if (oldest !== undefined) calls.delete(oldest);
    },
    find: (call) => calls.get(call) ?? null,
    hear(event) {
      const verdict = verdictOf(event);
      const fact = factOf(event);
      if (fact) return { of: 'call', fact, verdict };
      if (event.agent === null) return null;
      const key = JSON.stringify([event.tenant, event.rater, event.agent, event.signal]);
      const last = said.get(key);
      const again = last?.value === event.value && event.at_ms - last.at_ms <= SAME_MS;
      if (!again) said.set(key, { value: event.value, at_ms: event.at_ms });
      return again ? null : { of: 'agent', agent: event.agent, verdict };
    },
  };
}

function verdictOf({ rater, signal, value, at_ms }: FeedbackEvent): Verdict {
  const dissatisfied = isDissatisfied(signal, value);
  return { rater, signal, value, at_ms, rated: isVerdict(signal), dissatisfied };
}
