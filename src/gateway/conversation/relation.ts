import type { Outcome } from '../../core/call.ts';
import type { Relation } from '../../core/event.ts';
import { createRecencyIndex } from './recency-index.ts';
import { createTextRing } from './text-ring.ts';
import type { TurnDigests } from './turn-digests.ts';

export const RETRY_WITHIN_MS = 60_000;
export const REGENERATION_WITHIN_MS = 600_000;
/** Earlier calls of one unit that are compared: a user's conversations may interleave. */
const EARLIER_MAX = 32;

export interface Asked {
  readonly call: string;
  readonly unit: string;
  /** The turns so far. */
  readonly turns: TurnDigests;
  /** `x-stainless-retry-count`, 0 where absent. */
  readonly retry_count: number;
  readonly policy_ms: number;
}

export interface Related {
  readonly parent: string | null;
  readonly relation: Relation | null;
  /** By which it is told that the call has ended; 0 where nobody will ask what came of it. */
  readonly place: number;
}

/** What has been asked lately, by unit; and what came of it. */
export interface Relations {
  relate(asked: Asked): Related;
  ended(place: number, outcome: Outcome['outcome'], policy_ms: number): void;
}

/** A bounded memory of questions: what is allocated at the start is all that it grows to. */
export function createRelations(max: number): Relations {
  const ring = createAskedRing(max);
  const byUnit = createRecencyIndex(max);
  let sequence = 0;

  return {
    relate(asked) {
      if (asked.turns.count === 0) return asked.retry_count > 0 ? UNKNOWN_RETRY : UNRELATED;
      const comparison = new Comparison(asked, ring);
      byUnit.newestFirst(asked.unit, sequence, (one) => comparison.see(one % max));
      sequence += 1;
      const related = comparison.result(sequence);
      ring.put(sequence % max, asked);
      byUnit.add(sequence, asked.unit);
      return related;
    },
    ended(place, outcome, policy_ms) {
      // What the ring has overwritten meanwhile is another call's.
      if (place === 0 || sequence - place >= max) return;
      const slot = place % max;
      ring.outcomes[slot] = OUTCOMES.indexOf(outcome) + 1;
      ring.ended_ms[slot] = policy_ms;
    },
  };
}

const OUTCOMES: readonly Outcome['outcome'][] = ['ok', 'error', 'aborted', 'rejected'];
const OPEN = 0;
const OK = 1;
const ABORTED = 3;
/** Of a call's id: `call_` and a UUID. */
const ID_BYTES = 41;

type AskedRing = ReturnType<typeof createAskedRing>;

/** Questions by slot, in columns. */
function createAskedRing(max: number) {
  const ids = createTextRing(max, ID_BYTES);
  const high = new Uint32Array(max);
  const low = new Uint32Array(max);
  const turns = new Uint32Array(max);
  /** 0 until it has ended, else one more than the outcome's place in `OUTCOMES`. */
  const outcomes = new Uint8Array(max);
  const ended_ms = new Float64Array(max);
  return {
    ids,
    high,
    low,
    turns,
    outcomes,
    ended_ms,
    put(slot: number, { call, turns: asked }: Asked): void {
      ids.set(slot, call);
      high[slot] = asked.high[asked.count - 1] as number;
      low[slot] = asked.low[asked.count - 1] as number;
      turns[slot] = asked.count;
      outcomes[slot] = OPEN;
      ended_ms[slot] = 0;
    },
  };
}

export const UNRELATED: Related = { parent: null, relation: null, place: 0 };
const UNKNOWN_RETRY: Related = { parent: null, relation: 'retry', place: 0 };

/** One call against the unit's earlier ones, newest first, until it is clear how they relate. */
class Comparison {
  readonly #asked: Asked;
  readonly #ring: AskedRing;
  #seen = 0;
  /** The newest equal call that has ended, and what it makes of this one. */
  #repeated = -1;
  #relation: Relation | null = null;
  #decided = false;
  /** The one with the longest list of turns that this one's begin with. */
  #continued = -1;

  constructor(asked: Asked, ring: AskedRing) {
    this.#asked = asked;
    this.#ring = ring;
  }

  see(slot: number): 'enough' | 'more' {
    this.#seen += 1;
    if (this.#isPrefix(slot, this.#asked.turns.count)) this.#same(slot);
    else this.#other(slot);
    return this.#repeated >= 0 || this.#seen === EARLIER_MAX ? 'enough' : 'more';
  }

  result(place: number): Related {
    const { ids } = this.#ring;
    if (this.#repeated >= 0) {
      return { parent: ids.get(this.#repeated), relation: this.#relation, place };
    }
    if (this.#asked.retry_count > 0) return { ...UNKNOWN_RETRY, place };
    if (this.#continued < 0) return { parent: null, relation: null, place };
    return { parent: ids.get(this.#continued), relation: 'turn', place };
  }

  /** Whether the earlier call's turns are the first `count` of this one's. */
  #isPrefix(slot: number, count: number): boolean {
    const { high, low, turns } = this.#ring;
    if (turns[slot] !== count) return false;
    const asked = this.#asked.turns;
    return high[slot] === asked.high[count - 1] && low[slot] === asked.low[count - 1];
  }

  #same(slot: number): void {
    const { retry_count, policy_ms } = this.#asked;
    if (retry_count > 0) {
      this.#repeated = slot;
      this.#relation = 'retry';
      return;
    }
    const outcome = this.#ring.outcomes[slot];
    // Of an aborted call nobody can say whether its answer was good or bad.
    if (this.#decided || outcome === OPEN || outcome === ABORTED) return;
    this.#decided = true;
    const complete = outcome === OK;
    const within_ms = complete ? REGENERATION_WITHIN_MS : RETRY_WITHIN_MS;
    if (policy_ms - (this.#ring.ended_ms[slot] as number) > within_ms) return;
    this.#repeated = slot;
    this.#relation = complete ? 'regeneration' : 'retry';
  }

  #other(slot: number): void {
    const { turns } = this.#ring;
    const count = turns[slot] as number;
    if (count >= this.#asked.turns.count || !this.#isPrefix(slot, count)) return;
    if (this.#continued < 0 || count > (turns[this.#continued] as number)) this.#continued = slot;
  }
}
