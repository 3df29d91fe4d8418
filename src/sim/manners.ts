import type { Signal } from '../core/event.ts';
import type { Random } from './random.ts';
import type { Population, Scenario } from './scenario.ts';
import type { Visit } from './traffic.ts';

/** What a user saw of a call. */
export interface Seen {
  readonly outcome: 'ok' | 'error' | 'aborted';
  /** Whether the answer was what was asked for; false where there was none. */
  readonly good: boolean;
}

/** What a user says, and when: milliseconds after the answer. */
export interface Said {
  readonly after_ms: number;
  readonly signal: Signal;
  readonly value: number;
  /** Names its session, not the call. */
  readonly unnamed: boolean;
}

/** A user's own draws for a visit, made before anything happens, so that no answer shifts them. */
export interface Manners {
  /** The luck of each attempt in turn. */
  readonly attempts: readonly Random[];
  readonly retry: readonly number[];
  readonly regenerate: number;
  readonly says: {
    readonly rate: number;
    readonly honest: number;
    readonly degree: number;
    readonly delay: number;
    readonly lost: number;
    readonly unnamed: number;
  };
  /** How a bad answer shows in the next turn. */
  readonly follow_up: number;
}

const RETRIES_MAX = 2;
const RETRY_AFTER_MS = 3000;
const REGENERATE_AFTER_MS = 15_000;

/** The visit's own stream stays where it is: the same visit can be lived through again. */
export function mannersOf(visit: Pick<Visit, 'luck'>): Manners {
  const luck = visit.luck.clone();
  // The first, RETRIES_MAX retries, one regeneration; written out: each visit of each life asks.
  const attempts = [luck.fork(), luck.fork(), luck.fork(), luck.fork()];
  return {
    attempts,
    retry: [luck.uniform(), luck.uniform()],
    regenerate: luck.uniform(),
    says: {
      rate: luck.uniform(),
      honest: luck.uniform(),
      degree: luck.uniform(),
      delay: luck.exponential(1),
      lost: luck.uniform(),
      unnamed: luck.uniform(),
    },
    follow_up: luck.uniform(),
  };
}

/** What the user does after the last of these, or null: it stays with what it got. */
export function nextStep(
  manners: Manners,
  population: Population,
  seen: readonly Seen[],
): { readonly relation: 'retry' | 'regeneration'; readonly after_ms: number } | null {
  const last = seen.at(-1);
  const errors = seen.filter(({ outcome }) => outcome === 'error').length;
  if (!last || last.outcome === 'aborted') return null;
  if (last.outcome === 'error') {
    const again = errors <= RETRIES_MAX && (manners.retry[errors - 1] ?? 1) < population.retries;
    return again ? { relation: 'retry', after_ms: RETRY_AFTER_MS } : null;
  }
  const answered = seen.length - errors;
  if (last.good || answered > 1 || manners.regenerate >= population.regenerates) return null;
  return { relation: 'regeneration', after_ms: REGENERATE_AFTER_MS };
}

/** What the user says of the last answer, or null. Whoever hung up says nothing. */
export function saidOf(
  { says }: Manners,
  population: Population,
  feedback: Scenario['feedback'],
  { outcome, good }: Seen,
): Said | null {
  if (outcome === 'aborted' || says.rate >= population.rates || says.lost < feedback.lost) {
    return null;
  }
  const after_ms = Math.round(says.delay * feedback.delay_minutes * 60_000);
  const unnamed = says.unnamed < feedback.unnamed;
  const happy = says.honest < population.honesty ? good : !good;
  const { judges, says: always } = population;
  if (always !== undefined) return { after_ms, unnamed, signal: 'rating', value: always };
  if (judges === 'thumbs') return { after_ms, unnamed, signal: 'helpful', value: happy ? 1 : 0 };
  if (judges === 'complaints') {
    return happy ? null : { after_ms, unnamed, signal: 'complaint', value: 1 };
  }
  const value = happy ? (says.degree < 0.6 ? 5 : 4) : says.degree < 0.6 ? 1 : 2;
  return { after_ms, unnamed, signal: 'rating', value };
}
