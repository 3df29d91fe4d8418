import type { CallEvent, FeedbackEvent } from '../core/event.ts';
import { type Manners, mannersOf, nextStep, type Said, type Seen, saidOf } from './manners.ts';
import { type Answer, answerOf, conditionOf } from './models.ts';
import type { World } from './scenario.ts';
import type { Assigned } from './serve.ts';
import { type Visit, WORLD_BEGIN_MS } from './traffic.ts';

/** What the gateway learns of calls beyond what every version of the event holds. */
export interface WorldCall extends CallEvent {
  readonly category: string;
}

/** What came of a visit: the events a gateway would write, and what the user really thought. */
export interface Lived {
  readonly calls: readonly WorldCall[];
  readonly feedback: readonly FeedbackEvent[];
  readonly satisfied: boolean;
  readonly error: boolean;
  readonly arm: 'canary' | 'control' | null;
  readonly cost_usd: number;
  readonly latency_ms: number;
}

const KEY = 'open';

/** Lives through one visit in process, as it is served. Pure. */
export function liveThrough(world: World, visit: Visit, assigned: Assigned, id: string): Lived {
  const { scenario } = world;
  const population = scenario.users[visit.users];
  if (!population) throw new RangeError(`there are no users ${visit.users}`);
  const manners = mannersOf(visit);
  if (!population.calls) return { ...NOTHING, feedback: ratingOfAgent(world, visit, id) };
  const calls: WorldCall[] = [];
  const seen: Seen[] = [];
  let at_ms = visit.t_ms;
  let relation: CallEvent['relation'] = visit.turn > 0 ? 'turn' : null;
  let last: Answer | null = null;
  for (;;) {
    const luck = manners.attempts[seen.length];
    if (!luck) break;
    const condition = conditionOf(scenario, assigned, visit.category, at_ms);
    last = answerOf(condition, luck, visit.mood);
    const saw = seenBy(visit, last);
    const parent: string | null = calls.at(-1)?.id ?? null;
    const call_id = `call_${id}-${seen.length}`;
    calls.push(callOf(world, visit, assigned, last, saw, { id: call_id, at_ms, relation, parent }));
    seen.push(saw);
    const step = nextStep(manners, population, seen);
    if (!step) break;
    at_ms += Math.ceil(Math.min(last.latency_ms, visit.patience_ms)) + step.after_ms;
    relation = step.relation;
  }
  return sumUp(world, visit, manners, calls, seen);
}

const NOTHING: Lived = {
  calls: [],
  feedback: [],
  satisfied: false,
  error: false,
  arm: null,
  cost_usd: 0,
  latency_ms: 0,
};

export function unitOf({ user }: Pick<Visit, 'user'>): string {
  return `u:${user}`;
}

export function seenBy(visit: Pick<Visit, 'patience_ms'>, answer: Answer): Seen {
  if (answer.latency_ms > visit.patience_ms) return { outcome: 'aborted', good: false };
  return { outcome: answer.error ? 'error' : 'ok', good: answer.good };
}

function sumUp(
  world: World,
  visit: Visit,
  manners: Manners,
  calls: readonly WorldCall[],
  seen: readonly Seen[],
): Lived {
  const [final, first] = [seen.at(-1), calls[0]];
  const last = calls.at(-1);
  const population = world.scenario.users[visit.users];
  if (!final || !last || !first || !population) return NOTHING;
  const said = saidOf(manners, population, world.scenario.feedback, final);
  return {
    calls,
    feedback: said === null ? [] : [feedbackOf(last, said)],
    satisfied: final.outcome === 'ok' && final.good,
    error: final.outcome === 'error',
    arm: last.arm as Lived['arm'],
    cost_usd: calls.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0),
    latency_ms: first.latency_ms,
  };
}

interface Place {
  readonly id: string;
  readonly at_ms: number;
  readonly relation: CallEvent['relation'];
  readonly parent: string | null;
}

function callOf(
  world: World,
  visit: Visit,
  assigned: Assigned,
  answer: Answer,
  { outcome }: Seen,
  { id, at_ms, relation, parent }: Place,
): WorldCall {
  const { users, user, session, category, patience_ms } = visit;
  const population = world.scenario.users[users];
  const ms = outcome === 'aborted' ? patience_ms : answer.latency_ms;
  const ttft_ms = outcome === 'ok' || answer.ttft_ms < ms ? Math.min(answer.ttft_ms, ms) : null;
  const error = outcome === 'error' ? 'upstream_error' : null;
  return {
    type: 'call',
    v: 1,
    id,
    request_id: id,
    completion_id: `cmpl_${id}`,
    at_ms: WORLD_BEGIN_MS + at_ms,
    tenant: population?.tenant ?? 'default',
    key: KEY,
    agent: population?.agent ?? '',
    unit: unitOf(visit),
    user,
    session,
    parent,
    relation,
    version: assigned.version,
    experiment: assigned.experiment,
    arm: assigned.arm,
    share: assigned.share,
    decisions: [],
    intended: assigned.model,
    served: outcome === 'error' ? null : assigned.model,
    adapter: assigned.adapter,
    attempts: [{ target: assigned.model, outcome, error, ttft_ms, ms }],
    ttft_ms: outcome === 'error' ? null : ttft_ms,
    latency_ms: ms,
    tokens: { in: answer.tokens_in, cached: 0, out: answer.tokens_out, estimated: false },
    cost_usd: answer.cost_usd,
    outcome,
    arm_error: outcome === 'error',
    finish: outcome === 'ok' ? 'stop' : null,
    markers: [],
    category,
    origin: 'client',
  };
}

function feedbackOf(call: CallEvent, { after_ms, signal, value, unnamed }: Said): FeedbackEvent {
  return {
    type: 'feedback',
    v: 1,
    id: `fb_${call.id}.${signal}`,
    at_ms: call.at_ms + Math.ceil(call.latency_ms) + after_ms,
    tenant: call.tenant,
    rater: call.user ?? call.unit,
    call: unnamed ? null : call.id,
    completion_id: null,
    request_id: null,
    session: unnamed ? call.session : null,
    agent: unnamed ? call.agent : null,
    key: KEY,
    matched: 'pending',
    signal,
    value,
    text: null,
    channel: 'api',
    idempotency: null,
  };
}

/** Someone who rates an agent without having called it. */
function ratingOfAgent(world: World, visit: Visit, id: string): readonly FeedbackEvent[] {
  const population = world.scenario.users[visit.users];
  if (!population) return [];
  return [
    {
      type: 'feedback',
      v: 1,
      id: `fb_${id}.rating`,
      at_ms: WORLD_BEGIN_MS + visit.t_ms,
      tenant: population.tenant,
      rater: visit.user,
      call: null,
      completion_id: null,
      request_id: null,
      session: null,
      agent: population.agent,
      key: KEY,
      matched: 'pending',
      signal: 'rating',
      value: population.says ?? 3,
      text: null,
      channel: 'api',
      idempotency: null,
    },
  ];
}
