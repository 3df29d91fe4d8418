import { type FeedbackEvent, isDissatisfied, isVerdict } from '../core/event.ts';
import { type CallFacts, feedsFindings, isEvidence, servedOf } from './call-row.ts';
import { CONTROL, type Deltas, type Where } from './deltas.ts';
import { countVerdict } from './exposure.ts';
import { ratingMetric } from './unit-day.ts';

/**
 * Which call feedback is about, and what of it counts: pure, so that the rules can be tested
 * without a database. Feedback may arrive before its call; it is then held against the agent, and
 * moves to the call when that comes.
 */
export interface FeedbackRow {
  readonly id: string;
  readonly at_ms: number;
  readonly tenant: string;
  readonly rater: string;
  readonly key: string;
  readonly channel: string;
  readonly signal: FeedbackEvent['signal'];
  readonly value: number;
  readonly text: string | null;
  readonly named_call: string | null;
  readonly completion_id: string | null;
  readonly request_id: string | null;
  readonly session: string | null;
  readonly agent: string | null;
  readonly idempotency: string | null;
  readonly said: string;
  readonly matched: 'call' | 'session' | 'agent' | 'none';
  readonly call: string | null;
  readonly duplicate: boolean;
  readonly counted: boolean;
}

/** Within this of each other, the same said twice is said once. */
export const SAME_MS = 86_400_000;
/**
 * How long before feedback its session's call may have begun, and how late a call's event may come.
 */
export const MATCH_MS = 30 * 60_000;

export function rowOfFeedback(event: FeedbackEvent): FeedbackRow {
  const { type: _type, v: _v, matched: _matched, call: named_call, ...rest } = event;
  return {
    ...rest,
    named_call,
    said: saidOf(event),
    matched: 'none',
    call: null,
    duplicate: false,
    counted: false,
  };
}

/** Who says it, of what, and which signal: all but the value. */
function saidOf(event: FeedbackEvent): string {
  const { tenant, rater, call, completion_id, request_id, session, agent, signal } = event;
  return JSON.stringify([tenant, rater, call, completion_id, request_id, session, agent, signal]);
}

/** A row as it was, and as it is now; `before` is null for one that was not stored yet. */
export interface Transition {
  readonly before: FeedbackRow | null;
  readonly after: FeedbackRow;
}

export interface MatchInput {
  /** New feedback, and stored feedback without a call that a new call may belong to. */
  readonly candidates: readonly { readonly row: FeedbackRow; readonly stored: boolean }[];
  /** The call found for a candidate, by the candidate's id. */
  readonly found: ReadonlyMap<string, { readonly call: string; readonly by: 'call' | 'session' }>;
  /** What the store has heard before of what a new candidate says, by the candidate's id. */
  readonly heard: ReadonlyMap<string, Heard>;
  /** Stored feedback that counts now for the calls found. */
  readonly standing: readonly FeedbackRow[];
}

export interface Heard {
  /** Under the same idempotency key. */
  readonly request: boolean;
  /** The last value that the rater gave to the same, and when. */
  readonly value: number | null;
  readonly at_ms: number | null;
}

/**
 * What becomes of each candidate, and of what it replaces: the newest of (rater, call, signal)
 * counts.
 */
export function matchFeedback(input: MatchInput): readonly Transition[] {
  const { candidates, found, standing } = input;
  const before = new Map<string, FeedbackRow>(standing.map((row) => [row.id, row]));
  const now = new Map(before);
  const counting = new Map(standing.map((row) => [groupOf(row), row.id]));
  const isRepeated = createHearing(input.heard);
  const ordered = [...candidates].sort((left, right) => compare(left.row, right.row));
  for (const { row, stored } of ordered) {
    if (stored) before.set(row.id, row);
    const match = found.get(row.id);
    if (!stored && isRepeated(row, match !== undefined)) {
      now.set(row.id, { ...row, duplicate: true });
    } else if (match) {
      const matched = { ...row, matched: match.by, call: match.call, counted: false };
      now.set(row.id, matched);
      count(matched, counting, now);
    } else if (!stored) {
      const matched = row.agent === null ? 'none' : 'agent';
      now.set(row.id, { ...row, matched, counted: matched === 'agent' });
    }
  }
  return [...now.values()]
    .map((after) => ({ before: before.get(after.id) ?? null, after }))
    .filter((transition) => transition.before !== transition.after);
}

/**
 * Whether a row repeats what the store or the batch has heard, in the order of time. Of a call only
 * the idempotency key tells: there the newest value counts, so saying it again does no harm.
 */
function createHearing(
  stored: ReadonlyMap<string, Heard>,
): (row: FeedbackRow, matched: boolean) => boolean {
  const requests = new Set<string>();
  const values = new Map<
    string,
    { readonly value: number | null; readonly at_ms: number | null }
  >();
  return (row, matched) => {
    const known = stored.get(row.id);
    const request = row.idempotency === null ? null : sameRequest(row);
    if (known?.request || (request !== null && requests.has(request))) return true;
    if (request !== null) requests.add(request);
    const last = values.get(row.said) ?? known;
    const near = row.at_ms - (last?.at_ms ?? Number.NEGATIVE_INFINITY) <= SAME_MS;
    const repeated = !matched && last?.value === row.value && near;
    // A repeat does not renew the day, as the store does not hear it: any cut counts alike.
    if (!repeated) values.set(row.said, row);
    return repeated;
  };
}

function sameRequest(row: FeedbackRow): string {
  return `${row.tenant}\0${row.key}\0${row.idempotency}\0${row.signal}`;
}

function count(
  row: FeedbackRow,
  counting: Map<string, string>,
  now: Map<string, FeedbackRow>,
): void {
  const group = groupOf(row);
  const newest = now.get(counting.get(group) ?? '');
  if (newest && compare(newest, row) > 0) return;
  if (newest) now.set(newest.id, { ...newest, counted: false });
  now.set(row.id, { ...row, counted: true });
  counting.set(group, row.id);
}

function groupOf(row: FeedbackRow): string {
  return `${row.call}\0${row.rater}\0${row.signal}`;
}

/** By time; of the same moment by id, so that every reader finds the same newest. */
function compare(left: FeedbackRow, right: FeedbackRow): number {
  if (left.at_ms !== right.at_ms) return left.at_ms - right.at_ms;
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0;
}

/** Takes out what a row added to the rollups, and puts in what it adds now. */
export function countTransition(
  { before, after }: Transition,
  calls: ReadonlyMap<string, CallFacts>,
  deltas: Deltas,
): void {
  if (before?.counted) countRow(before, calls, deltas, -1);
  if (after.counted) countRow(after, calls, deltas, 1);
}

function countRow(
  row: FeedbackRow,
  calls: ReadonlyMap<string, CallFacts>,
  deltas: Deltas,
  sign: 1 | -1,
): void {
  const call = row.call === null ? null : (calls.get(row.call) ?? null);
  if (row.call !== null && (call === null || !isEvidence(call))) return;
  const where = call ? servedOf(call) : ofAgent(row);
  const { signal, value } = row;
  const dissatisfied = isDissatisfied(signal, value);
  const metrics = metricsOf(row, dissatisfied);
  const counts: Record<string, number> = Object.fromEntries(
    metrics.map((metric) => [metric, sign]),
  );
  if (signal === 'rating') Object.assign(counts, { rating: sign, rating_sum: sign * value });
  deltas.count(where, counts);
  if (feedsFindings(call?.arm ?? null)) {
    for (const metric of metrics) deltas.fact(where, metric, sign);
    if (signal === 'rating') deltas.fact(where, ratingMetric(value), sign);
    // A failed call shows it in any case.
    if (call && dissatisfied && !call.arm_error) deltas.evidence(where, call.id, sign === 1);
  }
  if (call && isVerdict(signal)) countVerdict(call, { signal, value, dissatisfied }, deltas, sign);
}

/** What a person's word counts for. */
function metricsOf({ signal, value }: FeedbackRow, dissatisfied: boolean): readonly string[] {
  return [
    ...(isVerdict(signal) ? ['rated'] : []),
    ...(dissatisfied ? ['dissatisfied'] : []),
    ...(signal !== 'rating' && signal !== 'helpful' && value > 0 ? [signal] : []),
  ];
}

/** Without a call it is said of the agent, and the rater stands for the unit. */
function ofAgent(row: FeedbackRow): Where {
  const agent = row.agent ?? '';
  const unit = `a:${row.rater}`;
  const { at_ms, tenant } = row;
  return { at_ms, agent, target: '', tenant, category: '', arm: CONTROL, unit };
}
