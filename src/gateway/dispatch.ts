import type { Snapshot, Target } from '../config/snapshot.ts';
import type { MaybePromise } from '../core/plugin.ts';
import type { UpstreamFailure } from '../core/provider.ts';
import type { Client } from './client.ts';
import { afterUnref } from './clock/after.ts';
import { Escalation } from './escalation.ts';
import type { Running } from './hedge.ts';
import { withHedge } from './hedge-attempt.ts';
import { type HookRun, runAttemptHooks } from './hooks/hooks.ts';
import { addFacts, addNote, proveAdapter } from './hooks/progress.ts';
import { mostUseful } from './no-answer.ts';
import type { Place } from './overload.ts';
import { type Candidate, Route } from './route.ts';
import type { Ticket } from './targets/live-target.ts';
import { timeLimit } from './time-limit.ts';
import { type DispatchDeps, type Dispatched, type Tried, tryTarget } from './try-target.ts';
import type { Turn } from './turn.ts';
import { holdStream } from './upstream/hold.ts';

/**
 * Asks targets in turn until one answers: the one place where anything is tried again. Before the
 * first token to the client a failure may be followed by another attempt, as long as the call's
 * retries and time, and the budget of all calls, are left.
 */
export function dispatch(
  run: HookRun,
  snapshot: Snapshot,
  client: Client,
  deps: DispatchDeps,
): Promise<Dispatched> {
  const { resilience } = snapshot.policy;
  deps.budget.earn();
  const limits = timeLimit(run.call, run.progress, resilience);
  const left_ms = limits.deadline_ms - deps.clock.monotonic_ms();
  const inPlace = (place: Place): Promise<Dispatched> => {
    const route = new Route(run, snapshot, deps.targets);
    const escalation = Escalation.of(run);
    const failures: UpstreamFailure[] = [];
    const { deadline_ms, late } = limits;
    const around = { run, client, deps, resilience, deadline_ms, late };
    return tryInTurn({ ...around, route, place, escalation, failures });
  };
  const entered = deps.overload.enter(resilience.overload, client, left_ms);
  if (!(entered instanceof Promise)) return inPlace(entered);
  return waited(run, deps, entered).then((place) => (place === 'gone' ? ABORTED : inPlace(place)));
}

const ABORTED = { kind: 'aborted' } as const;

/** In one piece: a call waits a moment for each promise that it goes through. */
async function tryInTurn(turn: Turn): Promise<Dispatched> {
  const { run, client, deps, escalation, place } = turn;
  try {
    for (let next = nextOf(turn); next !== null; next = nextOf(turn)) {
      const admitted = admit(turn, next);
      const ticket = admitted instanceof Promise ? await admitted : admitted;
      const running = begin(turn, next.target, ticket);
      if (running === 'other') continue;
      if (running === 'over') break;
      if (running === 'gone') return handedOver(turn, ABORTED);
      const begun_ms = deps.clock.monotonic_ms();
      const tried = await (running.orGone?.(client) ?? client.unlessGone(running.result));
      run.progress.waited_ms += deps.clock.monotonic_ms() - begun_ms;
      const came_to = tried === 'gone' ? leftBy(running) : comeTo(turn, tried);
      const given = came_to instanceof Promise ? await came_to : came_to;
      if (given !== null) return handedOver(turn, given);
    }
    return handedOver(turn, { kind: 'failed', failure: mostUseful(turn) });
  } catch (thrown) {
    const spare = escalation?.insteadOf(thrown) ?? null;
    if (spare !== null) return handedOver(turn, spare);
    escalation?.drop();
    place.leave();
    throw thrown;
  }
}

/** Its client has. */
function leftBy(running: Running<Tried>): Dispatched {
  running.abort();
  return ABORTED;
}

/** What the call comes to with what a target came to, or null where another is to be asked. */
function comeTo(turn: Turn, tried: Tried): MaybePromise<Dispatched | null> {
  const taken = tried.kind === 'failed' ? tried : take(turn, tried);
  if (!(taken instanceof Promise)) return settled(turn, tried.target, taken);
  return taken.then((result) => settled(turn, tried.target, result));
}

/** Where it is no stream, the call leaves its place; a stream leaves it at its end. */
function handedOver(turn: Turn, dispatched: Dispatched): Dispatched {
  const { escalation, place } = turn;
  const given = dispatched.kind === 'failed' ? (escalation?.fallBack() ?? dispatched) : dispatched;
  escalation?.drop();
  if (given.kind !== 'stream') {
    place.leave();
    return given;
  }
  const end: typeof given.end = (outcome, failure) => {
    place.leave();
    given.end(outcome, failure);
  };
  return { ...given, end };
}

/** What the call comes to with this, or null where another is to be asked. */
function settled(turn: Turn, asked: Target, result: Dispatched): MaybePromise<Dispatched | null> {
  const { route, failures, deps, deadline_ms, escalation } = turn;
  if (result.kind === 'failed') {
    failures.push({ ...result.failure, target: asked.name });
    route.failed(asked, result.failure);
    const late = deps.clock.monotonic_ms() >= deadline_ms;
    return late ? { kind: 'failed', failure: mostUseful(turn) } : null;
  }
  return escalation === null ? result : escalation.lastWord(turn, result);
}

/** With an answer in hand that is good enough, nobody is asked who is worse. */
function nextOf({ route, escalation }: Turn): Candidate | null {
  const next = route.next();
  return escalation?.declines(next) ? null : next;
}

/** Begins an attempt, or says why there is none: the client left, another's turn, or the end. */
function begin(
  turn: Turn,
  target: Target,
  ticket: Ticket | 'gone' | null,
): Running<Tried> | 'gone' | 'other' | 'over' {
  const { client, deps, route, failures } = turn;
  if (ticket === 'gone') return 'gone';
  if (client.gone) {
    ticket?.settle('neutral');
    return 'gone';
  }
  if (ticket === null) {
    route.drop(target);
    return 'other';
  }
  if (failures.length > 0 && !deps.budget.spend(turn.resilience.retry.budget)) {
    ticket.settle('neutral');
    deps.metrics.add('hive_retries_refused_total');
    return 'over';
  }
  route.asked(target);
  const deadline_ms = turn.escalation?.deadline_ms(turn) ?? turn.deadline_ms;
  return withHedge(turn, target, tryTarget({ ...turn, target, deadline_ms }, ticket));
}

/** A place at the target: after a pause where it failed before, or in line where it is full. */
function admit(turn: Turn, next: Candidate): MaybePromise<Ticket | 'gone' | null> {
  const { run, deps, resilience } = turn;
  const { target, view, force, before, full } = next;
  if (before !== null || full) return admitLater(turn, next);
  if (!runAttemptHooks(run, view)) return null;
  return deps.targets.admit(target, resilience, force ? FORCED : PLAIN);
}

const PLAIN = { force: false };
const FORCED = { force: true };

async function admitLater(turn: Turn, next: Candidate): Promise<Ticket | 'gone' | null> {
  const { run, client, deps, resilience, deadline_ms } = turn;
  const { target, view, force, before, full } = next;
  if (before) {
    const pause = await backOff(turn, target, before);
    if (pause !== 'waited') return pause === 'gone' ? 'gone' : null;
  }
  if (!runAttemptHooks(run, view)) return null;
  if (!full) return deps.targets.admit(target, resilience, { force });
  const left_ms = deadline_ms - deps.clock.monotonic_ms();
  const waiting = deps.targets.wait(target, resilience, left_ms);
  if (waiting === null) {
    deps.metrics.add('hive_shed_total', ['queue_full']);
    return null;
  }
  const admitted = await waited(run, deps, client.unlessGone(waiting.admitted));
  if (admitted === true) return deps.targets.admit(target, resilience, { waited: waiting });
  waiting.leave();
  if (admitted === 'gone') return 'gone';
  deps.metrics.add('hive_shed_total', ['deadline']);
  return null;
}

type Answered = Extract<Tried, { kind: 'answered' }>;

/** Takes an answer for the client's, or finds that a held one was cut. */
function take(turn: Turn, answered: Answered): MaybePromise<Dispatched> {
  const { run, resilience, place } = turn;
  const { progress } = run;
  const { target, answer, close } = answered;
  progress.served = target.name;
  progress.answered = target;
  for (const { subject, reason } of answered.notes) addNote(progress, subject, reason);
  if (answer.kind === 'whole') {
    addFacts(progress, answer.facts);
    proveAdapter(progress);
    close('ok', null);
    return { ...answer, target };
  }
  place.answering(answered.slowness);
  const midstream = run.plan.view.entry.midstream ?? resilience.midstream;
  if (midstream === 'error' && !turn.escalation?.holds(turn)) {
    return { ...answer, target, end: close };
  }
  return hold(turn, answered, answer);
}

type Stream = Extract<Answered['answer'], { kind: 'stream' }>;

/** Takes a stream only whole, so that a cut one can still fall over unseen. */
async function hold(turn: Turn, answered: Answered, answer: Stream): Promise<Dispatched> {
  const { run, client, deps, resilience } = turn;
  const { progress } = run;
  const { target, close } = answered;
  const account = deps.bytes.open(resilience.overload.bytes_max);
  const holding = holdStream(answer.stream, resilience.hold_bytes_max, account);
  const held = await waited(run, deps, client.unlessGone(holding));
  if (held === 'gone') {
    answer.stream.abandon();
    addFacts(progress, { tokens: answer.stream.tokens });
    account.release();
    close('aborted', null);
    return ABORTED;
  }
  deps.metrics.add('hive_held_total', [held.kind]);
  if (held.kind === 'cut') {
    progress.served = null;
    progress.answered = null;
    account.release();
    close('error', held.failure);
    return { kind: 'failed', failure: held.failure };
  }
  if (held.kind === 'complete') close('ok', null);
  const end: typeof close = (outcome, failure) => {
    account.release();
    close(outcome, failure);
  };
  const whole = held.kind === 'complete' ? { held: held.chunks } : {};
  return { ...answer, stream: held.source, ...whole, target, end };
}

/** Time spent waiting for others is none of the gateway's own. */
async function waited<Value>(
  { progress }: HookRun,
  { clock }: DispatchDeps,
  work: Promise<Value>,
): Promise<Value> {
  const begun_ms = clock.monotonic_ms();
  try {
    return await work;
  } finally {
    progress.waited_ms += clock.monotonic_ms() - begun_ms;
  }
}

/**
 * Full jitter, so that clients who failed together do not come back together. An upstream that says
 * when to come back is obeyed; where that is longer than we would wait, there is no repetition.
 */
async function backOff(
  { run, client, deps, resilience, deadline_ms, route }: Turn,
  target: Target,
  failure: UpstreamFailure,
): Promise<'waited' | 'pointless' | 'gone'> {
  const [least_ms, most_ms] = resilience.retry.backoff_ms;
  const said_ms = (failure.retry_after_s ?? 0) * 1000;
  const asked_ms = Math.max(said_ms, deps.targets.limited_ms(target));
  const ceiling_ms = Math.min(most_ms, least_ms * 2 ** (route.tries - 1));
  const wait_ms = Math.max(asked_ms, deps.random() * ceiling_ms);
  if (asked_ms > most_ms) return 'pointless';
  if (deps.clock.monotonic_ms() + wait_ms >= deadline_ms) return 'pointless';
  const { promise, resolve } = Promise.withResolvers<void>();
  // A timer may fire a moment early by our clock; an upstream's limit must be over.
  const off = (deps.after ?? afterUnref)(resolve, Math.ceil(wait_ms) + 1);
  const left = await waited(run, deps, client.unlessGone(promise));
  off();
  return left === 'gone' ? 'gone' : 'waited';
}
