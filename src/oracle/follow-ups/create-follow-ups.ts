import { randomUUID } from 'node:crypto';
import { messageOf } from '../../core/errors.ts';
import type { PromptSample } from '../../core/prompt/sample.ts';
import { exchangeIn } from '../../core/signals/exchange.ts';
import type { FollowUpPolicy } from '../../core/signals/follow-up-policy.ts';
import type { KeptTurn } from '../../store/apply-follow-ups.ts';
import { type Budget, forgetSpent, type Spent } from '../../store/proposal-budget.ts';
import { switchedOn } from '../answers.ts';
import type { OracleContext } from '../context.ts';
import { createModels, type Models } from '../models/models.ts';
import type { OwnCallsDeps } from '../models/own-calls-deps.ts';
import { type Classified, createModelClassifier } from './model-classifier.ts';
import { createTurnQueue } from './turn-queue.ts';

/**
 * Asks a model what users' next messages say of the answers before them, where the policy names
 * one: of calls that are kept as samples, in the worker, long after they were answered. What it
 * says is journalled and counted beside what the rules said, which stands whatever becomes of it.
 */
export interface RunningFollowUps {
  /** A sample that is a turn waits to be judged; its text is only in the store. */
  receive(sample: PromptSample): void;
  /** Judges those that wait; who asks while it runs gets that one. Never rejects. */
  tick(): Promise<void>;
  start(): void;
  /** Ends the call that is under way, and awaits the tick. */
  stop(): Promise<void>;
  status(): Promise<FollowUpsStatus>;
}

export interface FollowUpsStatus {
  readonly state: 'off' | 'paused' | 'budget_spent' | 'breaker_open' | 'on';
  readonly reason: string;
  readonly waiting: number;
  readonly spent: Spent & { readonly period: string };
  readonly budget: Budget | null;
}

const TICK_EVERY_MS = 2_000;
const PERIOD = 'follow-ups ';
const HOUR_MS = 3_600_000;
const KEPT_HOURS = 48;

export function createFollowUps(context: OracleContext, own: OwnCallsDeps): RunningFollowUps {
  const { clock, metrics, log } = context;
  const stopping = new AbortController();
  const models = createFollowUpModels(context, own, stopping.signal);
  const queue = createTurnQueue(context.store.db, clock);
  let stopped: Stopped = NOT_STOPPED;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const tell = async (said: Classified, { call, tenant }: KeptTurn, by: string): Promise<void> => {
    if (said.class === null && said.why !== 'malformed') stopped = said;
    if (isHeld(said)) return;
    metrics.add('hive_follow_ups_total', [said.class ?? said.why]);
    if (said.class === null) return;
    const at_ms = clock.policy_ms();
    const event = { type: 'follow_up', v: 1, at_ms, call, tenant, class: said.class, by } as const;
    await context.bus.acknowledge([event]);
  };
  const judgeAll = async (asked: FollowUpPolicy): Promise<void> => {
    stopped = NOT_STOPPED;
    const classifier = createModelClassifier(models, asked, randomUUID);
    for (const turn of await queue.next()) {
      const exchange = exchangeIn(turn.turns);
      const said = exchange && (await classifier.classify({ ...exchange, agent: turn.agent }));
      if (said !== null && isHeld(said)) return tell(said, turn, asked.target);
      queue.leave([turn.call]);
      if (said !== null) await tell(said, turn, asked.target);
    }
  };
  const look = async (): Promise<void> => {
    const asked = context.loaded().policy.oracle.follow_ups;
    const expired = queue.expire();
    if (expired > 0) metrics.add('hive_follow_ups_total', ['dropped'], expired);
    if (asked === undefined || offReason(context) !== null) queue.clear();
    else if (queue.size() > 0) await judgeAll(asked);
  };
  const tick = (): Promise<void> => {
    running ??= look()
      .catch((thrown: unknown) => {
        log.error('follow-ups were not judged', { error: messageOf(thrown) });
      })
      .finally(() => {
        running = null;
      });
    return running;
  };
  return {
    receive(sample) {
      const asked = context.loaded().policy.oracle.follow_ups;
      if (asked === undefined || asked.agents?.includes(sample.agent) === false) return;
      if (!queue.add(sample)) metrics.add('hive_follow_ups_total', ['dropped']);
    },
    tick,
    start() {
      timer = setInterval(() => void tick(), TICK_EVERY_MS);
    },
    async stop() {
      if (timer !== null) clearInterval(timer);
      stopping.abort();
      await running;
    },
    async status() {
      const spent = await models.spent();
      return { ...stateOf(context, stopped), waiting: queue.size(), spent };
    },
  };
}

/** Nothing was asked: the turn waits on, and is not counted yet. */
function isHeld(said: Classified): boolean {
  return said.class === null && HOLDING.has(said.why);
}

const HOLDING: ReadonlySet<string> = new Set(['budget', 'breaker', 'stopped']);

/** Why the last question got no answer. */
interface Stopped {
  readonly why: string | null;
  readonly reason: string;
}

const NOT_STOPPED: Stopped = { why: null, reason: '' };

const STATES: Readonly<Record<string, FollowUpsStatus['state']>> = {
  budget: 'budget_spent',
  breaker: 'breaker_open',
};

function stateOf(context: OracleContext, stopped: Stopped) {
  const asked = context.loaded().policy.oracle.follow_ups;
  const state = STATES[stopped.why ?? ''] ?? 'on';
  const now = offReason(context) ?? { state, reason: stopped.reason };
  return { ...now, budget: asked ? budgetOf(asked) : null };
}

function offReason(context: OracleContext): Pick<FollowUpsStatus, 'state' | 'reason'> | null {
  const { policy } = context.loaded();
  if (policy.oracle.follow_ups === undefined) {
    return { state: 'off', reason: 'the policy has no follow_ups' };
  }
  if (!switchedOn(context)) return { state: 'paused', reason: 'the oracle is switched off' };
  if (context.frozen()) return { state: 'paused', reason: 'the gateway is frozen' };
  return null;
}

function createFollowUpModels(
  context: OracleContext,
  own: OwnCallsDeps,
  stopping: AbortSignal,
): Models<FollowUpPolicy> {
  const { clock, metrics, log, store } = context;
  const hourOf = (ms: number): string => `${PERIOD}${new Date(ms).toISOString().slice(0, 13)}`;
  let hour = '';
  return createModels({
    name: 'follow_ups',
    db: store.db,
    clock,
    log,
    metrics,
    gateway_url: own.gateway_url,
    token: () => own.token(),
    stopping,
    halted: () => offReason(context)?.reason ?? null,
    period() {
      const now = hourOf(clock.wall_ms());
      if (now === hour) return now;
      hour = now;
      // Once an hour: a sum that nobody will ask for again is no matter of this call's.
      forgetSpent(store.db, PERIOD, hourOf(clock.wall_ms() - KEPT_HOURS * HOUR_MS)).catch(
        (thrown: unknown) => log.error('old budgets stay', { error: messageOf(thrown) }),
      );
      return now;
    },
    budgetOf,
  });
}

function budgetOf({ budget: { calls_per_hour, tokens_per_hour } }: FollowUpPolicy): Budget {
  return { calls: calls_per_hour, tokens: tokens_per_hour };
}
