import type { Clock } from '../../core/clock.ts';
import type { FeedbackEvent, Matched, ReportEvent } from '../../core/event.ts';
import { createId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Policy } from '../../core/policy.ts';
import { sentimentRules } from '../../core/signals/sentiment.ts';
import type { Bus } from '../../events/bus.ts';
import { watchedArm } from '../canary/assignment.ts';
import type { Permits } from '../canary/permits.ts';
import type { RecentCall, RecentCalls } from '../conversation/recent.ts';
import type { Rater } from '../deps.ts';
import type { NamedByClient, Spoken } from './signals.ts';

export interface FeedbackKeeping {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly bus: Bus;
  readonly recent: RecentCalls;
  readonly permits: Permits;
  policy(): Policy;
}

/** Feedback as every door hands it on; the session is hashed already. */
export interface SaidFeedback {
  readonly who: Omit<Rater, 'agent'> & { readonly agent: string | null };
  readonly named: NamedByClient;
  readonly spoken: readonly Spoken[];
  readonly reported: Readonly<Record<string, number>>;
  readonly channel: FeedbackEvent['channel'];
  readonly idempotency: string | null;
}

/**
 * Journals feedback and resolves once it is durable. What it is about is said from memory; the
 * worker has the last word. Rejects with `overloaded` or `not_ready`, and then nothing was taken.
 */
export async function acceptFeedback(
  deps: FeedbackKeeping,
  said: SaidFeedback,
): Promise<{ readonly feedback_id: string; readonly matched: Matched }> {
  const at_ms = deps.clock.policy_ms();
  const feedback_id = createId('fb', deps.clock.wall_ms());
  const { call, matched } = match(deps.recent, said, at_ms);
  const events = withSentiment(feedbackEvents(said, { feedback_id, at_ms, call, matched }));
  const kept = deps.policy().capture.feedback_text ? events : events.map(withoutText);
  await deps.bus.acknowledge([...kept, ...reportEvents(said, feedback_id, at_ms)]);
  for (const { signal, channel } of events) {
    deps.metrics.add('hive_feedback_total', [signal, channel]);
  }
  const complained = events.find(({ signal, value }) => signal === 'complaint' && value > 0);
  const watched = complained && call ? watchedArm(call.experiment, call.arm) : null;
  if (complained && watched !== null) deps.permits.observeComplaint(watched, complained.rater);
  return { feedback_id, matched };
}

/**
 * The most exact name decides, and alone: feedback on an unknown call must not end up on the
 * session's newest one. A session without a call leaves the agent, which places the feedback but
 * names no call, so that it can neither promote nor roll back.
 */
function match(
  recent: RecentCalls,
  said: SaidFeedback,
  policy_ms: number,
): { readonly call: RecentCall | null; readonly matched: Matched } {
  const { tenant, key } = said.who;
  const { call, completion_id, request_id, session, agent } = said.named;
  if (call !== null || completion_id !== null || request_id !== null) {
    const found = recent.find({ tenant, key, call, completion_id, request_id, policy_ms });
    return { call: found, matched: found ? 'call' : 'pending' };
  }
  const found = session && recent.find({ tenant, key, session, agent, policy_ms });
  if (found) return { call: found, matched: 'session' };
  const seen = agent !== null && recent.find({ tenant, key, agent, policy_ms }) !== null;
  return { call: null, matched: seen ? 'agent' : 'pending' };
}

function feedbackEvents(
  said: SaidFeedback,
  facts: {
    readonly feedback_id: string;
    readonly at_ms: number;
    readonly call: RecentCall | null;
    readonly matched: Matched;
  },
): readonly FeedbackEvent[] {
  const { who, named } = said;
  return said.spoken.map(({ signal, value, text }) => ({
    type: 'feedback',
    v: 1,
    id: `${facts.feedback_id}.${signal}`,
    at_ms: facts.at_ms,
    tenant: who.tenant,
    rater: raterOf(who),
    // The call that memory found is written down: "the session's newest finished call" is a matter
    // of microseconds here, and of event times to everyone who asks later.
    call: facts.call?.id ?? named.call,
    completion_id: named.completion_id,
    request_id: named.request_id,
    session: named.session,
    agent: named.agent ?? facts.call?.agent ?? who.agent,
    key: who.key,
    matched: facts.matched,
    signal,
    value,
    text,
    channel: said.channel,
    idempotency: said.idempotency,
  }));
}

/**
 * How a text sounds where nobody said how it is meant: beside a rating or a verdict its words would
 * only say the same again. Weak evidence of its own kind, never a verdict.
 */
function withSentiment(events: readonly FeedbackEvent[]): readonly FeedbackEvent[] {
  if (events.some(({ signal }) => signal === 'rating' || signal === 'helpful')) return events;
  return events.map((event) => {
    // The words of a correction are the answer that was wanted.
    const { text, signal } = event;
    const sentiment = text === null || signal === 'correction' ? null : sentimentRules.of(text);
    return sentiment === null ? event : { ...event, sentiment };
  });
}

/** The user, else the session, else the key: who is counted once. */
function raterOf(who: SaidFeedback['who']): string {
  if (who.user !== null) return `u:${who.user}`;
  return who.session === null ? `k:${who.key}` : `s:${who.session}`;
}

function withoutText(event: FeedbackEvent): FeedbackEvent {
  return { ...event, text: null };
}

function reportEvents(
  said: SaidFeedback,
  feedback_id: string,
  at_ms: number,
): readonly ReportEvent[] {
  if (Object.keys(said.reported).length === 0) return [];
  return [
    {
      type: 'report',
      v: 1,
      id: `${feedback_id}.report`,
      at_ms,
      tenant: said.who.tenant,
      agent: said.named.agent,
      session: said.named.session,
      values: said.reported,
    },
  ];
}
