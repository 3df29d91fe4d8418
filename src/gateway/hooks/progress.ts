import type { Target } from '../../config/snapshot.ts';
import type { Attempt, CallPatch, Decision, Note, Tokens } from '../../core/call.ts';
import { NO_FACTS, NOT_YET } from '../../core/decoded.ts';
import type { Escalation } from '../../core/event.ts';
import { costOf, sumOfUsd } from '../../core/price.ts';
import { printable } from '../../core/printable.ts';
import type { AnswerFacts } from '../../core/provider.ts';
import { SaidText } from '../../core/signals/said.ts';
import { sumOfTokens } from '../../core/tokens.ts';

/** Kept of one call, at most: a plugin in a loop must not fill an event or a header. */
const KEPT_MAX = 32;

/**
 * What has become of a call so far. The call itself never changes; this is the one thing about it
 * that does, and headers, hooks and the event are read off it.
 */
export interface Progress {
  readonly started_ms: number;
  /** Time spent waiting for others: the client's body, upstreams, backoffs. The rest is ours. */
  waited_ms: number;
  patch: MergedPatch;
  readonly decisions: Decision[];
  readonly notes: Note[];
  readonly markers: string[];
  readonly attempts: Attempt[];
  /** Answers that a plugin did not want given to the client, in their order; null where none. */
  escalated: Escalated[] | null;
  /** Attempts begun, the one under way included. */
  tries: number;
  served: string | null;
  /** The target of that name. */
  answered: Target | null;
  /** A plugin answered instead of an upstream. */
  replied: boolean;
  readonly adapter: AdapterProgress;
  ttft_ms: number | null;
  /** Pieces of content seen in a stream, for an estimate where no usage was reported. */
  pieces: number;
  facts: AnswerFacts;
  /** The answer's text as far as signals are read off it. */
  said: SaidText;
}

/** An answer that cost something and was kept back. */
export interface Escalated extends Escalation {
  /** Nobody answered better: it was given after all, and is no second expense. */
  given: boolean;
}

/** All plugins' patches in one. */
export interface MergedPatch {
  readonly body: NonNullable<CallPatch['body']>;
  readonly targets: readonly string[] | null;
  /** Undefined where no plugin said anything of it. */
  readonly adapter: string | null | undefined;
}

export interface AdapterProgress {
  requested: string | null;
  applied: string | null;
  reason: string | null;
}

export function createProgress(started_ms: number): Progress {
  return {
    started_ms,
    waited_ms: 0,
    patch: { body: {}, targets: null, adapter: undefined },
    decisions: [],
    notes: [],
    markers: [],
    attempts: [],
    escalated: null,
    tries: 0,
    served: null,
    answered: null,
    replied: false,
    adapter: { requested: null, applied: null, reason: null },
    ttft_ms: null,
    pieces: 0,
    facts: NO_FACTS,
    said: new SaidText(),
  };
}

export function addNote(progress: Progress, subject: string, reason: string): void {
  if (progress.notes.length >= KEPT_MAX) return;
  progress.notes.push({ subject: printable(subject), reason: printable(reason) });
}

export function addMarker(progress: Progress, marker: string): void {
  const text = printable(marker);
  if (progress.markers.length >= KEPT_MAX || progress.markers.includes(text)) return;
  progress.markers.push(text);
}

/** Adds what one more chunk says; a null says nothing. */
export function addFacts(progress: Progress, facts: Partial<AnswerFacts>): void {
  const known = progress.facts;
  if (facts.said) progress.said.add(facts.said);
  if (!saysMore(known, facts)) return;
  progress.facts = {
    completion_id: known.completion_id ?? word(facts.completion_id),
    model: known.model ?? facts.model ?? null,
    finish: word(facts.finish) ?? known.finish,
    tokens: facts.tokens ?? known.tokens,
    adapter: facts.adapter ?? known.adapter,
  };
}

/**
 * Real ids and reasons are short, and nobody can name a longer one. A record that does not fit in
 * the journal is lost, and an upstream must not lose those of its own calls.
 */
const WORD_MAX = 200;

function word(said: string | null | undefined): string | null {
  return said === undefined || said === null || said.length > WORD_MAX ? null : said;
}

/** Most chunks of a stream say again what the first one said. */
function saysMore(known: AnswerFacts, facts: Partial<AnswerFacts>): boolean {
  return Boolean(
    facts.finish ||
      facts.tokens ||
      facts.adapter ||
      (known.completion_id === null && facts.completion_id) ||
      (known.model === null && facts.model),
  );
}

/**
 * Milliseconds with three digits behind the point: no clock of ours is finer, and sixteen digits
 * cost more to write than all the rest of a record.
 */
export function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** An adapter counts as applied only where the answer proves it. */
export function proveAdapter(progress: Progress): void {
  const { adapter, facts } = progress;
  adapter.applied = facts.adapter;
  if (adapter.applied !== adapter.requested) adapter.reason ??= 'unproven';
}

/**
 * What the upstream reported, or an estimate: four bytes a token, one token a piece of a stream.
 * Anthropic's streams count the answer at its beginning and again at its end: one that never came
 * to it has at least a token a piece.
 */
export function tokensOf(progress: Progress, bytes_in: number, bytes_out: number): Tokens {
  const { tokens, finish } = progress.facts;
  if (tokens !== null) {
    if (finish !== null || progress.pieces <= tokens.out) return tokens;
    return { ...tokens, out: progress.pieces, estimated: true };
  }
  if (progress.served === null) return { in: 0, cached: 0, out: 0, estimated: true };
  const out = progress.pieces > 0 ? progress.pieces : Math.ceil(bytes_out / 4);
  return { in: Math.ceil(bytes_in / 4), cached: 0, out, estimated: true };
}

/** Of the answer that was given and of all that were not: what the call was paid for. */
export function tokensInAll(progress: Progress, given: Tokens): Tokens {
  const others = notGiven(progress);
  if (others === NONE) return given;
  const all = others.map(({ tokens }) => tokens);
  return (progress.served === null ? all : [given, ...all]).reduce(sumOfTokens);
}

/** USD of the same; null where nobody reported any, or the policy has no price of one of them. */
export function costInAll(progress: Progress, given: Tokens): number | null {
  const { answered } = progress;
  const own = answered?.price && given !== NOT_YET ? costOf(answered.price, given) : null;
  const others = notGiven(progress);
  if (others === NONE) return own;
  const costs = others.map(({ cost_usd }) => cost_usd);
  const all = answered === null ? costs : [own, ...costs];
  return all.includes(null) ? null : sumOfUsd(all as readonly number[]);
}

type Spent = Pick<Escalation, 'tokens' | 'cost_usd'>;

/** Answers that were paid for and not given: kept back by a plugin, or lost with their attempt. */
function notGiven({ attempts, escalated }: Progress): readonly Spent[] {
  let spent = NONE;
  for (const { tokens, cost_usd = null } of attempts) {
    if (tokens !== undefined) spent = [...spent, { tokens, cost_usd }];
  }
  for (const one of escalated ?? []) if (!one.given) spent = [...spent, one];
  return spent;
}

const NONE: readonly Spent[] = [];
