import { messageOf } from '../../core/errors.ts';
import type { Policy } from '../../core/policy.ts';
import type { PromptSample } from '../../core/prompt/sample.ts';
import { pruneCandidates } from '../../store/prompt-candidates.ts';
import { countSamples } from '../../store/prompt-samples.ts';
import { switchedOn } from '../answers.ts';
import type { OracleContext } from '../context.ts';
import type { OwnCallsDeps } from '../models/own-calls-deps.ts';
import { inForceOf } from '../records.ts';
import { boundOf, stepFor } from './agent-step.ts';
import { createProposalModels, type ProposalModels } from './proposal-models.ts';
import { viewsOver } from './proposal-views.ts';
import type { Proposals, ProposalsState, ProposalsStatus } from './proposals.ts';
import { createSampleInbox } from './sample-inbox.ts';

/** Proposals as the worker holds them. */
export interface RunningProposals extends Proposals {
  receive(sample: PromptSample): void;
  /** Stores the samples that have come. */
  flush(): Promise<void>;
  /** One step for each agent; who asks while one runs gets that one. Never rejects. */
  tick(): Promise<void>;
  /** Ticks and flushes from now on. */
  start(): void;
  /** Ends the call that is under way, and awaits the step. */
  stop(): Promise<void>;
}

/** Policy time; never under the least, whatever the scale. */
const TICK_EVERY_MS = 60_000;
const FLUSH_EVERY_MS = 2_000;
const LEAST_MS = 250;

export function createProposals(context: OracleContext, own: OwnCallsDeps): RunningProposals {
  const { clock, metrics, log, store } = context;
  const { db } = store;
  const stopping = new AbortController();
  const models = createProposalModels({
    db,
    clock,
    log,
    metrics,
    gateway_url: own.gateway_url,
    token: () => own.token(),
    stopping: stopping.signal,
    halted: () => offReason(context)?.reason ?? null,
  });
  const inbox = createSampleInbox(db);
  let told: Pick<ProposalsStatus, 'state' | 'reason' | 'agents'> = {
    state: 'waiting',
    reason: 'not looked yet',
    agents: {},
  };
  let running: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    const { policy } = context.loaded();
    await inbox.tend(policy, clock.policy_ms());
    told = await work(context, models, (now) => {
      told = { ...told, ...now };
    });
    await pruneCandidates(db);
    await report(context, models);
  };
  const tick = (): Promise<void> => {
    running ??= look()
      .catch((thrown: unknown) => {
        log.error('prompt proposals failed', { error: messageOf(thrown) });
      })
      .finally(() => {
        running = null;
      });
    return running;
  };
  const flush = (): Promise<void> => inbox.flush(context.loaded().policy);
  const timers: NodeJS.Timeout[] = [];
  return {
    start() {
      const tick_ms = Math.max(LEAST_MS, TICK_EVERY_MS / clock.origin.scale);
      timers.push(setInterval(() => void tick(), tick_ms));
      timers.push(
        setInterval(() => {
          flush().catch((thrown: unknown) => {
            log.error('samples were not stored', { error: messageOf(thrown) });
          });
        }, FLUSH_EVERY_MS),
      );
    },
    receive: (sample) => inbox.receive(sample),
    flush,
    tick,
    async stop() {
      for (const timer of timers) clearInterval(timer);
      stopping.abort();
      await running;
    },
    async status() {
      return { ...told, ...offReason(context), ...(await counted(context, models)) };
    },
    ...viewsOver(context, own, inbox),
  };
}

/** Why nothing is done at all, or nothing where something is. */
function offReason(context: OracleContext): Pick<ProposalsStatus, 'state' | 'reason'> | null {
  const asked = context.loaded().policy.oracle.proposals?.prompt;
  if (!asked) return { state: 'off', reason: 'the policy has no proposals.prompt' };
  if (!switchedOn(context)) return { state: 'paused', reason: 'the oracle is switched off' };
  if (context.frozen()) return { state: 'paused', reason: 'the gateway is frozen' };
  return null;
}

const STATES: Readonly<Record<string, ProposalsState>> = {
  budget: 'budget_spent',
  breaker: 'breaker_open',
};

async function work(
  context: OracleContext,
  models: ProposalModels,
  tell: (now: Pick<ProposalsStatus, 'state' | 'reason'>) => void,
): Promise<Pick<ProposalsStatus, 'state' | 'reason' | 'agents'>> {
  const off = offReason(context);
  const asked = context.loaded().policy.oracle.proposals?.prompt;
  if (off || !asked) return { state: 'off', reason: '', ...off, agents: {} };
  const { policy } = inForceOf(context.loaded(), (await context.ledger.view()).rows);
  const agents: Record<string, string> = {};
  for (const agent of asked.agents ?? movable(policy)) {
    tell({ state: 'working', reason: `at agent ${agent}` });
    const step = await stepFor(agent, { context, models, asked });
    agents[agent] = step.told;
    const state = STATES[step.stopped ?? ''];
    if (state) return { state, reason: step.told, agents };
    if (step.stopped === 'stopped') break;
  }
  return { state: 'waiting', reason: 'each agent says what it waits for', agents };
}

/** Agents whose prompt the bounds let move. */
function movable(policy: Policy): readonly string[] {
  return Object.keys(policy.agents).filter((agent) => boundOf(`/agents/${agent}/prompt`, policy));
}

/** The part of the status that is read, not remembered. */
async function counted(
  context: OracleContext,
  models: ProposalModels,
): Promise<Omit<ProposalsStatus, 'state' | 'reason' | 'agents'>> {
  const [spent, breaker, samples] = await Promise.all([
    models.spent(),
    models.breaker(),
    countSamples(context.store.db),
  ]);
  const budget = context.loaded().policy.oracle.proposals?.prompt?.budget ?? null;
  const { period: day, ...sums } = spent;
  return { spent: { day, ...sums }, budget, breaker, samples };
}

async function report(
  { metrics, store, clock }: OracleContext,
  models: ProposalModels,
): Promise<void> {
  const { calls, tokens, usd } = await models.spent();
  metrics.set('hive_proposal_spent', calls, ['calls']);
  metrics.set('hive_proposal_spent', tokens, ['tokens']);
  metrics.set('hive_proposal_spent', usd, ['usd']);
  const { until_ms } = await models.breaker();
  metrics.set('hive_proposal_breaker_open', until_ms > clock.wall_ms() ? 1 : 0);
  const counts = await countSamples(store.db);
  for (const label of ['new', 'worst', 'corrected', 'random'] as const) {
    const own = counts.filter((one) => one.label === label);
    const total = own.reduce((sum, { samples }) => sum + samples, 0);
    metrics.set('hive_samples_kept', total, [label]);
  }
}
