import { hash } from 'node:crypto';
import type { Outcome } from '../core/call.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { Relation } from '../core/event.ts';
import { createRecencyIndex } from './recency-index.ts';

export const RETRY_WITHIN_MS = 60_000;
export const REGENERATION_WITHIN_MS = 600_000;
/** Earlier calls of one unit that are compared: a user's conversations may interleave. */
const EARLIER_MAX = 32;

export interface Asked {
  readonly call: string;
  readonly unit: string;
  readonly body: JsonObject;
  /** `x-stainless-retry-count`, 0 where absent. */
  readonly retry_count: number;
  readonly policy_ms: number;
}

export interface Related {
  readonly parent: string | null;
  readonly relation: Relation | null;
}

/** What has been asked lately, by unit; and what came of it. */
export interface Relations {
  relate(asked: Asked): Related;
  ended(call: string, outcome: Outcome['outcome'], policy_ms: number): void;
}

interface AskedCall {
  readonly id: string;
  readonly messages: number;
  readonly digest: string;
  outcome: Outcome['outcome'] | null;
  ended_ms: number;
}

/** A bounded memory of questions: the ring's length is all that it can grow to. */
export function createRelations(max: number): Relations {
  const ring: AskedCall[] = [];
  const byUnit = createRecencyIndex(max);
  const byCall = createRecencyIndex(max);
  let sequence = 0;

  const earlierOf = (unit: string): AskedCall[] => {
    const found: AskedCall[] = [];
    for (const one of byUnit.newestFirst(unit, sequence)) {
      const entry = ring[one % max];
      if (entry) found.push(entry);
      if (found.length === EARLIER_MAX) break;
    }
    return found;
  };

  return {
    relate(asked) {
      const digests = messageDigests(asked.body);
      const digest = digests.at(-1);
      const related = relationOf(asked, digests, digest ? earlierOf(asked.unit) : []);
      if (digest !== undefined) {
        sequence += 1;
        const { call: id, unit } = asked;
        const messages = digests.length;
        ring[sequence % max] = { id, messages, digest, outcome: null, ended_ms: 0 };
        byUnit.add(sequence, unit);
        byCall.add(sequence, id);
      }
      return related;
    },
    ended(call, outcome, policy_ms) {
      for (const one of byCall.newestFirst(call, sequence)) {
        const entry = ring[one % max];
        if (entry?.id !== call) continue;
        entry.outcome = outcome;
        entry.ended_ms = policy_ms;
        return;
      }
    },
  };
}

function relationOf(
  asked: Asked,
  digests: readonly string[],
  earlier: readonly AskedCall[],
): Related {
  const same = earlier.filter((entry) => entry.digest === digests.at(-1));
  if (asked.retry_count > 0) return { parent: same[0]?.id ?? null, relation: 'retry' };
  // Of an aborted call nobody can say whether its answer was good or bad.
  const ended = same.find((entry) => entry.outcome !== null && entry.outcome !== 'aborted');
  const complete = ended?.outcome === 'ok';
  const within_ms = complete ? REGENERATION_WITHIN_MS : RETRY_WITHIN_MS;
  if (ended && asked.policy_ms - ended.ended_ms <= within_ms) {
    return { parent: ended.id, relation: complete ? 'regeneration' : 'retry' };
  }
  const continued = continuedBy(digests, earlier);
  if (continued) return { parent: continued.id, relation: 'turn' };
  return { parent: null, relation: null };
}

/** The earlier call with the longest list of messages that this one's begin with. */
function continuedBy(digests: readonly string[], earlier: readonly AskedCall[]): AskedCall | null {
  let longest: AskedCall | null = null;
  for (const entry of earlier) {
    if (entry.messages >= digests.length) continue;
    if (digests[entry.messages - 1] !== entry.digest) continue;
    if (longest === null || entry.messages > longest.messages) longest = entry;
  }
  return longest;
}

/**
 * A chain: each digest covers all messages up to its own, so that "is a prefix of" is one
 * comparison and the whole costs one pass. Empty where the body has no messages.
 */
function messageDigests(body: JsonObject): readonly string[] {
  const { messages } = body;
  if (!Array.isArray(messages)) return [];
  let digest = '';
  return messages.map((message) => {
    digest = hash('sha256', `${digest}${JSON.stringify(message)}`, 'base64url').slice(0, 22);
    return digest;
  });
}
