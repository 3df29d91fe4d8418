import { hash } from 'node:crypto';
import type { Outcome } from '../core/call.ts';
import type { Relation } from '../core/event.ts';
import { createRecencyIndex } from './recency-index.ts';

export const RETRY_WITHIN_MS = 60_000;
export const REGENERATION_WITHIN_MS = 600_000;
/** Earlier calls of one unit that are compared: a user's conversations may interleave. */
const EARLIER_MAX = 32;

export interface Asked {
  readonly call: string;
  readonly unit: string;
  /** Each turn so far, as one text. */
  readonly turns: readonly string[];
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

  return {
    relate(asked) {
      const digests = turnDigests(asked.turns);
      const digest = digests.at(-1);
      if (digest === undefined) return asked.retry_count > 0 ? UNKNOWN_RETRY : UNRELATED;
      const comparison = new Comparison(asked, digests);
      byUnit.newestFirst(asked.unit, sequence, (one) => {
        const entry = ring[one % max];
        return entry ? comparison.see(entry) : 'more';
      });
      sequence += 1;
      const { call: id, unit } = asked;
      const messages = digests.length;
      ring[sequence % max] = { id, messages, digest, outcome: null, ended_ms: 0 };
      byUnit.add(sequence, unit);
      byCall.add(sequence, id);
      return comparison.result();
    },
    ended(call, outcome, policy_ms) {
      byCall.newestFirst(call, sequence, (one) => {
        const entry = ring[one % max];
        if (entry?.id !== call) return 'more';
        entry.outcome = outcome;
        entry.ended_ms = policy_ms;
        return 'enough';
      });
    },
  };
}

const UNRELATED: Related = { parent: null, relation: null };
const UNKNOWN_RETRY: Related = { parent: null, relation: 'retry' };

/** One call against the unit's earlier ones, newest first, until it is clear how they relate. */
class Comparison {
  readonly #asked: Asked;
  readonly #digests: readonly string[];
  #seen = 0;
  /** What the newest equal call that has ended makes of this one. */
  #repeated: Related | null = null;
  #decided = false;
  /** The one with the longest list of messages that this one's begin with. */
  #continued: AskedCall | null = null;

  constructor(asked: Asked, digests: readonly string[]) {
    this.#asked = asked;
    this.#digests = digests;
  }

  see(entry: AskedCall): 'enough' | 'more' {
    this.#seen += 1;
    if (entry.digest === this.#digests.at(-1)) this.#same(entry);
    else this.#other(entry);
    return this.#repeated !== null || this.#seen === EARLIER_MAX ? 'enough' : 'more';
  }

  result(): Related {
    if (this.#repeated) return this.#repeated;
    if (this.#asked.retry_count > 0) return UNKNOWN_RETRY;
    const { id } = this.#continued ?? {};
    return id === undefined ? UNRELATED : { parent: id, relation: 'turn' };
  }

  #same(entry: AskedCall): void {
    const { retry_count, policy_ms } = this.#asked;
    if (retry_count > 0) {
      this.#repeated = { parent: entry.id, relation: 'retry' };
      return;
    }
    // Of an aborted call nobody can say whether its answer was good or bad.
    if (this.#decided || entry.outcome === null || entry.outcome === 'aborted') return;
    this.#decided = true;
    const complete = entry.outcome === 'ok';
    const within_ms = complete ? REGENERATION_WITHIN_MS : RETRY_WITHIN_MS;
    if (policy_ms - entry.ended_ms > within_ms) return;
    this.#repeated = { parent: entry.id, relation: complete ? 'regeneration' : 'retry' };
  }

  #other(entry: AskedCall): void {
    if (entry.messages >= this.#digests.length) return;
    if (this.#digests[entry.messages - 1] !== entry.digest) return;
    if (this.#continued === null || entry.messages > this.#continued.messages) {
      this.#continued = entry;
    }
  }
}

/**
 * A chain: each digest covers all turns up to its own, so that "is a prefix of" is one comparison
 * and the whole costs one pass. Empty where an endpoint knows no conversation.
 */
function turnDigests(turns: readonly string[]): readonly string[] {
  let digest = '';
  return turns.map((turn) => {
    digest = hash('sha256', `${digest}${turn}`, 'base64url').slice(0, 22);
    return digest;
  });
}
