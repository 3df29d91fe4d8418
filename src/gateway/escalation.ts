import type { Answer } from '../core/answer/answer.ts';
import { contentOfBody, contentOfEvents } from '../core/answer/content.ts';
import type { Note, Tokens } from '../core/call.ts';
import { NO_FACTS } from '../core/decoded.ts';
import { GatewayError } from '../core/errors.ts';
import { costOf } from '../core/price.ts';
import type { AnswerFacts, UpstreamFailure } from '../core/provider.ts';
import type { Client } from './client.ts';
import { countAnswer } from './count-cost.ts';
import { hasAnswerHooks, type Objection, runAnswerHooks } from './hooks/answer-hooks.ts';
import type { HookRun } from './hooks/hooks.ts';
import { addMarker, type Escalated, type Progress } from './hooks/progress.ts';
import type { Candidate, Route } from './route.ts';
import type { Dispatched, Trial } from './try-target.ts';

/** A call on its way over the targets, as far as answers concern it. */
export interface Underway extends Omit<Trial, 'target'> {
  readonly client: Client;
  readonly route: Route;
  readonly failures: UpstreamFailure[];
}

/** An answer that the client could be given. */
export type Given = Extract<Dispatched, { kind: 'whole' | 'stream' }>;

/**
 * What plugins make of a call's answers before the first byte (decision 0010). An answer that one
 * of them objects to is kept, and the next target asked: not as a retry, for nothing failed, but on
 * a budget of its own. Whatever goes wrong from there on, the answer that is kept goes out.
 */
export class Escalation {
  readonly #run: HookRun;
  #spare: Spare | null = null;
  #count = 0;
  /** Notes for the client before anybody was asked; those after are of one answer. */
  readonly #noted: number;
  /** A plugin wants to see no more answers of this call. */
  #last = false;

  constructor(run: HookRun) {
    this.#run = run;
    this.#noted = run.progress.notes.length;
  }

  /** Null where no plugin looks at answers: then nothing of this costs a call anything. */
  static of(run: HookRun): Escalation | null {
    return hasAnswerHooks(run) ? new Escalation(run) : null;
  }

  /** Whether a stream must be held: somebody would look at it, and another could be asked. */
  holds({ route, resilience }: Underway): boolean {
    if (this.#last || this.#count >= resilience.escalation.most) return false;
    return hasAnswerHooks(this.#run) && route.other() !== null;
  }

  /** Until when the next target may take: the answer that is kept needs a moment to go out. */
  deadline_ms(turn: Underway): number {
    return turn.deadline_ms - (this.#spare ? SPARE_MS : 0);
  }

  /** With an answer in hand nobody is asked who is not well, or is only better than nothing. */
  declines(next: Candidate | null): boolean {
    if (this.#spare === null || next === null) return false;
    return next.force || next.full || next.target.fallback_only;
  }

  /** The answer, if it is the client's; null where it is kept back and the next one asked. */
  async lastWord(turn: Underway, given: Dispatched): Promise<Dispatched | null> {
    if (given.kind === 'failed' || given.kind === 'aborted') return given;
    try {
      return (await this.#keeps(turn, given)) ? null : given;
    } catch (thrown) {
      // Nobody gets it: what is held of it would count against all calls for ever.
      letGo(given);
      throw thrown;
    }
  }

  async #keeps(turn: Underway, given: Given): Promise<boolean> {
    if (!this.holds(turn)) return false;
    if (given.kind === 'stream' && !given.held) {
      addMarker(this.#run.progress, 'escalation:too_long');
      return false;
    }
    turn.deps.escalations.earn();
    const objection = await runAnswerHooks(this.#run, answerOf(this.#run, given));
    if (objection === null || turn.client.gone) return false;
    const obstacle = this.#obstacle(turn);
    const outcome = obstacle ?? 'next';
    turn.deps.metrics.add('hive_escalations_total', [objection.plugin, outcome]);
    if (obstacle !== null) {
      addMarker(this.#run.progress, `escalation:${obstacle}`);
      return false;
    }
    this.#keep(turn, given, objection);
    return true;
  }

  /** With an answer in hand, nothing that goes wrong with another fails the call. */
  insteadOf(thrown: unknown): Given | null {
    // A plugin without which the policy lets no call pass.
    const final = thrown instanceof GatewayError && thrown.code === 'plugin_failed';
    return final ? null : this.fallBack();
  }

  /** The answer that is kept, as if no other had been asked for; null where there is none. */
  fallBack(): Given | null {
    const spare = this.#spare;
    if (spare === null) return null;
    this.#spare = null;
    const { progress } = this.#run;
    const { given, escalated, before } = spare;
    escalated.given = true;
    Object.assign(progress, { served: given.target.name, answered: given.target, ...before.facts });
    Object.assign(progress.adapter, before.adapter);
    progress.notes.splice(this.#noted, Infinity, ...before.notes);
    addMarker(progress, 'escalation:fell_back');
    return given;
  }

  /** The call is over, or another answer is the client's. */
  drop(): void {
    const spare = this.#spare;
    this.#spare = null;
    if (spare) letGo(spare.given);
  }

  #obstacle({
    route,
    deps,
    resilience,
    deadline_ms,
  }: Underway): 'nobody' | 'deadline' | 'budget' | null {
    if (route.other() === null) return 'nobody';
    if (deps.clock.monotonic_ms() >= deadline_ms - SPARE_MS) return 'deadline';
    return deps.escalations.spend(resilience.escalation.budget) ? null : 'budget';
  }

  #keep(turn: Underway, given: Given, { plugin, verdict }: Objection): void {
    const { progress, call } = this.#run;
    const reason = wordOf(verdict.reason);
    const tokens = tokensOfGiven(call.raw.length, given);
    const { price, name } = given.target;
    countAnswer(given.target, tokens, turn.deps);
    const cost_usd = price === null ? null : costOf(price, tokens);
    const escalated: Escalated = { target: name, plugin, reason, tokens, cost_usd, given: false };
    progress.escalated ??= [];
    progress.escalated.push(escalated);
    addMarker(progress, `escalated:${plugin}:${reason}`);
    this.drop();
    const facts = { facts: progress.facts, said: progress.said };
    const notes = progress.notes.splice(this.#noted);
    this.#spare = { given, escalated, before: { facts, notes, adapter: { ...progress.adapter } } };
    this.#count += 1;
    this.#last = verdict.last === true;
    forget(progress);
    turn.route.answered();
    // What failed before that answer is no reason to count the next one as a retry.
    turn.failures.length = 0;
  }
}

/** An answer that is nobody's any more. */
function letGo(given: Given): void {
  if (given.kind !== 'stream') return;
  given.stream.abandon();
  given.end('ok', null);
}

/** Time that an answer in hand needs to go out before the client's patience ends. */
const SPARE_MS = 50;

interface Spare {
  readonly given: Given;
  readonly escalated: Escalated;
  readonly before: {
    readonly facts: Pick<Progress, 'facts' | 'said'>;
    readonly notes: readonly Note[];
    readonly adapter: Progress['adapter'];
  };
}

/** As if nobody had answered yet; what was spent stays in `escalated`. */
function forget(progress: Progress): void {
  progress.served = null;
  progress.answered = null;
  progress.facts = NO_FACTS;
  progress.said = progress.said.fresh();
  progress.adapter.applied = null;
  progress.adapter.reason = null;
}

function answerOf({ call }: HookRun, given: Given): Answer {
  const { finish, tokens } = factsOf(given);
  return {
    target: given.target.name,
    finish,
    tokens,
    content: () =>
      given.kind === 'whole'
        ? contentOfBody(call.endpoint, given.body)
        : contentOfEvents(
            call.endpoint,
            (given.held ?? []).map(({ event }) => event),
          ),
  };
}

function factsOf(given: Given): Pick<AnswerFacts, 'finish' | 'tokens'> {
  if (given.kind === 'whole') return given.facts;
  let { finish, tokens }: Pick<AnswerFacts, 'finish' | 'tokens'> = NO_FACTS;
  for (const { facts } of given.held ?? []) {
    finish = facts.finish ?? finish;
    tokens = facts.tokens ?? tokens;
  }
  return { finish, tokens };
}

/** As reported, else estimated like those of an answer that is given. */
function tokensOfGiven(bytes_in: number, given: Given): Tokens {
  const { tokens } = factsOf(given);
  if (tokens !== null) return tokens;
  const pieces = given.kind === 'stream' ? (given.held ?? []) : [];
  const out =
    given.kind === 'whole'
      ? Math.ceil(given.body.length / 4)
      : pieces.filter(({ content }) => content).length;
  return { in: Math.ceil(bytes_in / 4), cached: 0, out, estimated: true };
}

/** A plugin's word goes into markers, events and labels. */
function wordOf(reason: string): string {
  return /^[a-z0-9_.-]{1,40}$/.test(reason) ? reason : 'other';
}
