import { armsOf, drawArm, unitOfCall } from '../../src/core/ab/entry.ts';
import type { CallEvent, FeedbackEvent, JournalRecord } from '../../src/core/event.ts';
import { uuidv7 } from '../../src/core/ids.ts';
import { callEvent, feedbackEvent, saidOf } from '../kit/events.ts';
import type { World } from './world.ts';

export interface AbVisit {
  /** Of 1 to 5; no rating where it is null. */
  readonly rating?: number | null;
  /** Higher than `rating`: the same user on second thoughts. */
  readonly again?: number;
  readonly failed?: boolean;
  readonly latency_ms?: number;
  readonly cost_usd?: number | null;
  readonly tokens_out?: number;
}

/**
 * Calls of users in a running experiment, as the gateway would journal them: each is in the arm
 * that its unit falls into, on the permits that the worker gave.
 */
export async function serveAb(
  world: World,
  options: {
    readonly name: string;
    readonly users: number;
    readonly first?: number;
    readonly over_ms: number;
    visit(arm: string, user: number): AbVisit;
    readonly session?: (user: number) => string;
  },
): Promise<Readonly<Record<string, number>>> {
  const entry = world.policy.experiments?.[options.name];
  const run = world.state().ab?.find(({ id }) => id.startsWith(`${options.name}@`));
  if (!entry || !run) throw new Error(`experiment ${options.name} does not run`);
  const { first = 0 } = options;
  const records: JournalRecord[] = [];
  const counts: Record<string, number> = {};
  for (let index = 0; index < options.users; index += 1) {
    const user = `user-${first + index}`;
    const at_ms = world.now_ms + Math.floor((options.over_ms * (index + 1)) / options.users);
    const session = options.session?.(first + index) ?? null;
    const named = { id: `call_${uuidv7(at_ms)}`, unit: `u:${user}`, user, session };
    const unit = unitOfCall(entry.unit, named) ?? '';
    const arms = armsOf(entry).map(([arm, { share }]) => ({ arm, share }));
    const drawn = drawArm(run.id, unit, arms);
    if (!drawn || run.dropped.includes(drawn.arm)) continue;
    counts[drawn.arm] = (counts[drawn.arm] ?? 0) + 1;
    const visit = options.visit(drawn.arm, first + index);
    const call = callOf(entry.agent, at_ms, named, visit);
    records.push({ ...call, experiment: run.id, arm: drawn.arm, share: drawn.share });
    if (visit.rating) records.push(ratingOf(call, visit.rating));
    if (visit.again) records.push(ratingOf(call, visit.again));
  }
  world.now_ms += options.over_ms;
  await world.apply(records);
  return counts;
}

function callOf(
  agent: string,
  at_ms: number,
  named: Pick<CallEvent, 'id' | 'unit' | 'user' | 'session'>,
  { failed = false, latency_ms = 20, cost_usd = null, tokens_out = 10 }: AbVisit,
): CallEvent {
  const outcome = failed ? 'error' : 'ok';
  return callEvent(named.id, {
    ...named,
    request_id: named.id,
    completion_id: null,
    at_ms,
    agent,
    version: 'v',
    attempts: [{ target: 'demo', outcome, error: null, ttft_ms: 5, ms: latency_ms }],
    latency_ms,
    cost_usd,
    outcome,
    arm_error: failed,
    tokens: { in: 100, cached: 0, out: tokens_out, estimated: false },
  });
}

export function ratingOf(call: CallEvent, value: number): FeedbackEvent {
  return feedbackEvent(`fb_${call.id}.rating.${value}`, saidOf(call, value, value));
}
