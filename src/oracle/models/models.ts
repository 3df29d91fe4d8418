import type OpenAI from 'openai';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import { OWN_CALL_HEADER } from '../../core/own-calls.ts';
import { type Budget, reserve, type Spent, settle, spentOn } from '../../store/proposal-budget.ts';
import type { Db } from '../../store/rows.ts';
import { type BreakerState, createModelBreaker } from './model-breaker.ts';

/** One question to a model, through the gateway. */
export interface Question<Answer> {
  readonly purpose: 'reflect' | 'answer' | 'judge' | 'follow_up';
  readonly agent: string;
  readonly target?: string | undefined;
  readonly turns: readonly ChatTurn[];
  /** What the answer means; null where it means nothing, which counts as a failure. */
  parse(text: string): Answer | null;
}

export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export type Answered<Answer> =
  | { readonly ok: true; readonly answer: Answer; readonly tokens: number; readonly ms: number }
  | { readonly ok: false; readonly cause: NoAnswer; readonly reason: string };

/** `budget` and `breaker`: nothing was asked. */
export type NoAnswer = 'budget' | 'breaker' | 'failed' | 'stopped';

/** What the policy says of one call to a model. */
export interface CallBounds {
  /** Real time. */
  readonly timeout_ms: number;
  /** Of the answer. */
  readonly tokens_max: number;
  /** Failures in a row after which no model is asked for a while. */
  readonly failures_max: number;
  /** USD a million tokens. */
  readonly price?: { readonly in: number; readonly out: number };
}

/**
 * Asks models what one part of the oracle wants to know: within its budget of a period, and behind
 * its breaker. `Asked` is what the policy says of it.
 */
export interface Models<Asked extends CallBounds> {
  ask<Answer>(question: Question<Answer>, asked: Asked): Promise<Answered<Answer>>;
  breaker(): Promise<BreakerState>;
  /** In the period that is now. */
  spent(): Promise<Spent & { readonly period: string }>;
}

export interface ModelsDeps<Asked extends CallBounds> {
  /** Of the part that asks: its breaker is its own. */
  readonly name: 'proposals' | 'follow_ups';
  /** The period that a budget is of now: no two parts have the same. */
  period(): string;
  budgetOf(asked: Asked): Budget;
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly gateway_url: string;
  /** Marks the calls as the oracle's own; asked for at the first of them. */
  token(): string;
  readonly stopping: AbortSignal;
  /** Why nothing may be asked any more, though it began; or null. */
  halted(): string | null;
}

/** Beyond the texts themselves: roles and separators. */
const TOKENS_A_TURN = 8;

export function createModels<Asked extends CallBounds>(deps: ModelsDeps<Asked>): Models<Asked> {
  const { db, clock, metrics } = deps;
  const breaker = createModelBreaker(deps.name, db, clock, deps.log);
  const connect = connectionTo(deps);
  const askOnce = async <Answer>(
    question: Question<Answer>,
    asked: Asked,
    { period, aside }: { readonly period: string; readonly aside: Omit<Spent, 'calls'> },
  ): Promise<Answered<Answer>> => {
    const client = await connect();
    const started_ms = clock.monotonic_ms();
    // Ended from our side, so that a model that hangs is no failure of a target that users need;
    // and with a timer of our own, since the client's ends at the headers.
    const late = AbortSignal.timeout(asked.timeout_ms);
    const signal = AbortSignal.any([deps.stopping, late]);
    try {
      const said = await callOf(client, question, asked, signal);
      const took = { tokens: said.tokens ?? aside.tokens, usd: usdOf(said, asked) ?? aside.usd };
      await settle(db, period, aside, took);
      const ms = clock.monotonic_ms() - started_ms;
      const answer = question.parse(said.text);
      if (answer === null) return no('failed', 'its answer is not of the form that was asked for');
      return { ok: true, answer, tokens: took.tokens, ms };
    } catch (thrown) {
      return no('failed', late.aborted ? 'no answer in time' : failureOf(thrown));
    }
  };

  return {
    breaker: () => breaker.state(),
    async spent() {
      const period = deps.period();
      return { period, ...(await spentOn(db, period)) };
    },
    async ask(question, asked) {
      if (deps.stopping.aborted) return no('stopped', 'the worker stops');
      const halted = deps.halted();
      if (halted !== null) return no('stopped', halted);
      const state = await breaker.state();
      if (state.until_ms > clock.wall_ms()) return no('breaker', state.reason ?? 'failed before');
      const period = deps.period();
      const aside = estimateOf(question, asked);
      const left = await reserve(db, period, aside, deps.budgetOf(asked));
      if (left === null) {
        metrics.add('hive_proposal_calls_total', [question.purpose, 'budget']);
        return no('budget', `the budget of ${period} is spent`);
      }
      const attempt = await askOnce(question, asked, { period, aside });
      if (deps.stopping.aborted && !attempt.ok) return no('stopped', 'the worker stops');
      if (attempt.ok) {
        await breaker.succeeded(state);
        metrics.add('hive_proposal_calls_total', [question.purpose, 'ok']);
        return attempt;
      }
      metrics.add('hive_proposal_calls_total', [question.purpose, 'failed']);
      const reason = `${question.purpose}: ${attempt.reason}`;
      await breaker.failed(reason, asked.failures_max);
      return no('failed', reason);
    },
  };
}

/** Made at the first call: nobody else pays for loading it. */
function connectionTo(
  deps: Pick<ModelsDeps<CallBounds>, 'gateway_url' | 'token'>,
): () => Promise<OpenAI> {
  let made: OpenAI | null = null;
  return async () => {
    const { OpenAI: Client } = await import('openai');
    made ??= new Client({
      baseURL: `${deps.gateway_url}/v1`,
      apiKey: 'unused',
      organization: null,
      project: null,
      // A further attempt would be a call that nobody has counted.
      maxRetries: 0,
      // Its own log would repeat what was asked and answered.
      logLevel: 'off',
      defaultHeaders: { [OWN_CALL_HEADER]: deps.token() },
    });
    return made;
  };
}

interface SaidByModel {
  readonly text: string;
  /** Null where nobody counted. */
  readonly tokens: number | null;
  readonly tokens_in: number;
  readonly tokens_out: number;
}

async function callOf(
  client: OpenAI,
  { agent, target, turns }: Question<unknown>,
  { tokens_max, timeout_ms }: CallBounds,
  signal: AbortSignal,
): Promise<SaidByModel> {
  const headers = {
    'x-agent-id': agent,
    ...(target === undefined ? {} : { 'x-hive-target': target }),
  };
  const completion = await client.chat.completions.create(
    { model: agent, messages: [...turns], max_completion_tokens: tokens_max },
    { headers, signal, timeout: timeout_ms + 1000 },
  );
  const { usage } = completion;
  const tokens_in = usage?.prompt_tokens ?? 0;
  const tokens_out = usage?.completion_tokens ?? 0;
  return {
    text: completion.choices?.[0]?.message?.content ?? '',
    tokens: usage ? tokens_in + tokens_out : null,
    tokens_in,
    tokens_out,
  };
}

/** What is set aside before a call: about three bytes a token, and all that it may answer. */
function estimateOf({ turns }: Question<unknown>, { tokens_max, price }: CallBounds) {
  const tokens_in = turns.reduce(
    (sum, { content }) => sum + Math.ceil(Buffer.byteLength(content) / 3) + TOKENS_A_TURN,
    0,
  );
  const usd = price ? (tokens_in * price.in + tokens_max * price.out) / 1e6 : 0;
  return { tokens: tokens_in + tokens_max, usd };
}

function usdOf(said: SaidByModel, { price }: CallBounds): number | null {
  if (!price) return 0;
  if (said.tokens === null) return null;
  return (said.tokens_in * price.in + said.tokens_out * price.out) / 1e6;
}

/** A provider's own message may repeat what it was sent, so none of it is told or kept. */
function failureOf(thrown: unknown): string {
  const { name, status, code } = thrown as { name?: string; status?: number; code?: unknown };
  const known = typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? ` ${code}` : '';
  return status === undefined ? (name ?? 'failed') : `HTTP ${status}${known}`;
}

function no(cause: NoAnswer, reason: string): Answered<never> {
  return { ok: false, cause, reason };
}
