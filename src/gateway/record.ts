import type { AgentPlan } from '../config/snapshot.ts';
import type { Call, Decision, Outcome, Tokens } from '../core/call.ts';
import type { CallEvent, Origin } from '../core/event.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Assignment } from './canary/assign.ts';
import type { Related } from './conversation/recent.ts';
import { costInAll, microseconds, type Progress, tokensInAll, tokensOf } from './hooks/progress.ts';
import type { Learned } from './signals.ts';

/** How a call came out, in the one form that hooks, metrics and the event read. */
export interface Ended {
  readonly outcome: Outcome['outcome'];
  readonly status: number;
  readonly error: string | null;
  /** Bytes of a whole answer; 0 for a stream, whose pieces are counted. */
  readonly bytes_out: number;
}

export function outcomeOf(call: Call, progress: Progress, ended: Ended, now_ms: number): Outcome {
  const tokens = tokensOf(progress, call.raw.length, ended.bytes_out);
  return {
    outcome: ended.outcome,
    status: ended.status,
    error: ended.error,
    served: progress.served,
    attempts: progress.attempts,
    ttft_ms: progress.ttft_ms,
    latency_ms: microseconds(now_ms - progress.started_ms),
    tokens: tokensInAll(progress, tokens),
    cost_usd: costInAll(progress, tokens),
    finish: progress.facts.finish,
  };
}

/** The record of a call: everything the loop learns from, and nothing of what was said in it. */
export function callEvent(
  call: Call,
  assignment: Assignment,
  progress: Progress,
  outcome: Outcome,
  related: Pick<Related, 'parent' | 'relation'>,
  learned: Learned = {},
  origin: Origin = 'client',
): CallEvent {
  // No part is spread into it: that costs more than all of the rest.
  const event: Draft = {
    type: 'call',
    v: 1,
    id: call.id,
    request_id: call.request_id,
    completion_id: progress.facts.completion_id,
    at_ms: call.at_ms,
    tenant: call.tenant,
    key: call.key,
    agent: call.agent,
    unit: call.unit,
    user: call.user,
    session: call.session,
    parent: related.parent,
    relation: related.relation,
    version: assignment.version,
    experiment: assignment.experiment,
    arm: assignment.arm,
    share: assignment.share,
    decisions: progress.decisions,
    intended: intendedTarget(call, assignment.plan, progress),
    served: outcome.served,
    adapter: progress.adapter.applied,
    attempts: outcome.attempts,
    ttft_ms: outcome.ttft_ms,
    latency_ms: outcome.latency_ms,
    tokens: outcome.tokens,
    cost_usd: outcome.cost_usd,
    outcome: outcome.outcome,
    arm_error: isArmError(call, assignment.plan, progress, outcome.outcome),
    finish: outcome.finish,
    markers: progress.markers,
    origin,
  };
  if (progress.escalated !== null) event.escalations = progress.escalated;
  const { category, signals, follow_up } = learned;
  if (category !== undefined) event.category = category;
  if (signals !== undefined) event.signals = signals;
  if (follow_up !== undefined) event.follow_up = follow_up;
  return event;
}

type Draft = { -readonly [field in keyof CallEvent]: CallEvent[field] };

/** A client's call in the metrics. */
export function countCall(
  { agent, stream }: Call,
  { waited_ms }: Progress,
  { outcome, latency_ms, tokens }: Outcome,
  metrics: Metrics,
): void {
  metrics.add('hive_calls_total', [agent, outcome]);
  metrics.observe('hive_call_seconds', latency_ms / 1000, [agent]);
  const own_ms = Math.max(0, latency_ms - waited_ms);
  if (!stream) metrics.observe('hive_overhead_seconds', own_ms / 1000);
  countTokens(agent, tokens, metrics);
}

export function countTokens(agent: string, tokens: Tokens, metrics: Metrics): void {
  metrics.add('hive_tokens_total', [agent, 'in'], tokens.in);
  metrics.add('hive_tokens_total', [agent, 'out'], tokens.out);
}

/** The target chosen before health had a say: a plugin's decision among targets, else the first. */
function intendedTarget(call: Call, plan: AgentPlan, progress: Progress): string | null {
  if (call.pinned !== null) return call.pinned;
  for (let at = progress.decisions.length - 1; at >= 0; at -= 1) {
    const { intended, options } = progress.decisions[at] as Decision;
    if (isAmong(plan, intended) && areAmong(plan, options)) return intended;
  }
  if (progress.replied) return null;
  return progress.patch.targets?.[0] ?? ownTargets(call, plan)[0] ?? null;
}

function isAmong({ view }: AgentPlan, target: string): boolean {
  for (const { name } of view.targets) if (name === target) return true;
  return false;
}

function areAmong(plan: AgentPlan, names: readonly string[]): boolean {
  for (const name of names) if (!isAmong(plan, name)) return false;
  return true;
}

/**
 * The targets that an arm is judged by; an agent with nothing but fallbacks has them as its own.
 */
function ownTargets(call: Call, plan: AgentPlan): readonly string[] {
  if (call.pinned !== null) return [call.pinned];
  const { targets } = plan.view;
  const own = targets.filter(({ fallback_only }) => !fallback_only);
  return (own.length > 0 ? own : targets).map(({ name }) => name);
}

/** Whether it is one of the targets that an arm is judged by, and no fallback. */
function isOwn(call: Call, plan: AgentPlan, target: string): boolean {
  if (call.pinned !== null) return call.pinned === target;
  for (const { name, fallback_only } of plan.view.targets) {
    if (name === target) return !fallback_only;
  }
  return false;
}

/**
 * Whether none of the arm's own targets answered the client: in both arms alike an error, also
 * where a fallback or a health exclusion then served the call. A call that the client gave up while
 * a target was at it says nothing; nor does one that was refused, or answered by a plugin.
 */
function isArmError(
  call: Call,
  plan: AgentPlan,
  progress: Progress,
  outcome: Outcome['outcome'],
): boolean {
  if (outcome === 'rejected' || progress.replied) return false;
  if (outcome === 'error') return true;
  const [first] = progress.attempts;
  // Nearly all calls: one attempt, at one of its own targets or at one of a policy without others.
  if (outcome === 'ok' && first && progress.attempts.length === 1 && first.outcome === 'ok') {
    if (isOwn(call, plan, first.target)) return false;
  }
  const own = ownTargets(call, plan);
  const tried = progress.attempts.filter(({ target }) => own.includes(target));
  if (outcome === 'ok') return !tried.some((attempt) => attempt.outcome === 'ok');
  return tried.length > 0 && tried.every((attempt) => attempt.outcome === 'error');
}
