import { instantiate, type LeafHost } from '../core/definition.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { CanaryWithheldEvent, PolicySwappedEvent } from '../core/event.ts';
import { createId } from '../core/ids.ts';
import type { PromptSample } from '../core/prompt/sample.ts';
import type { Control } from '../core/state.ts';
import { readCycle, readCycles } from '../store/audit-trail.ts';
import { createObserver } from '../store/observe.ts';
import type { AbExperiments } from './ab-answers.ts';
import { type Reports, settleAbWithheld, tendAb } from './ab-tick.ts';
import { experimentsOver } from './ab-views.ts';
import { answersOf, permitsOf, requireOn, switchedOn } from './answers.ts';
import { createEffect, type OracleContext, type OracleDeps } from './context.ts';
import { newCycle, type RunningCycle, runCycle } from './cycle.ts';
import { createFollowUps, type RunningFollowUps } from './follow-ups/create-follow-ups.ts';
import { type Change, createLedger, stateOf } from './ledger.ts';
import { createLoop } from './loop.ts';
import type { Cycle, Oracle } from './oracle.ts';
import { createPolicyDetectors } from './policy-detectors.ts';
import { type Prompts, promptsOver } from './prompt-views.ts';
import { createProposals, type RunningProposals } from './proposals/create-proposals.ts';
import type { LedgerView } from './records.ts';
import { supersede, withdrawAll } from './take-back.ts';
import { settleWithheld } from './tend-canaries.ts';
import { gatesInOrder } from './validate.ts';

export type { OracleDeps } from './context.ts';

/** The oracle as the worker holds it: the admin API's answers, and what the worker tells it. */
export interface RunningOracle extends Oracle {
  readonly prompts: Prompts;
  readonly experiments: AbExperiments;
  /** Looks at the A/B experiments now; it is done every few seconds in any case. */
  tendExperiments(): Promise<void>;
  /** Null where the oracle cannot reach the gateway as itself. */
  readonly proposals: RunningProposals | null;
  /** Likewise. */
  readonly followUps: RunningFollowUps | null;
  /** The gateway has kept a call. */
  receive(sample: PromptSample): void;
  start(): void;
  /** Awaits the running cycle. */
  stop(): Promise<void>;
  onWithheld(event: CanaryWithheldEvent): Promise<void>;
  onSwapped(event: PolicySwappedEvent): void;
  /** Writes into the ledger what was withdrawn by `control.json` alone. */
  reconcileControl(control: Control): Promise<void>;
  /** Journals the ledger again as it stands; daily, since segments are pruned. */
  rejournal(): Promise<void>;
}

/** Experiments are people's: they are looked at whether or not the oracle has a cycle to run. */
const AB_SCHEDULE = { every_ms: 5_000, jitter: 0 };

export function createOracle(deps: OracleDeps): RunningOracle {
  const context = createContext(deps);
  const cycles = createCycles(context);
  const reports: Reports = new Map();
  const experiments = createLoop({
    origin: deps.clock.origin,
    log: deps.log,
    schedule: () => AB_SCHEDULE,
    random: () => 0,
    run: () => tendAb(context, reports).then(() => true),
  });
  const loop = createLoop({
    origin: deps.clock.origin,
    log: deps.log,
    schedule: () => deps.loaded().policy.pipeline.schedule,
    random: deps.random ?? Math.random,
    run: async () => !switchedOn(deps) || (await cycles.tick()).state === 'done',
  });
  const proposals = deps.ownCalls ? createProposals(context, deps.ownCalls) : null;
  const followUps = deps.ownCalls ? createFollowUps(context, deps.ownCalls) : null;
  return {
    ...answersOf(context),
    ...cycles,
    prompts: promptsOver(context),
    experiments: experimentsOver(context, reports),
    tendExperiments: () => tendAb(context, reports),
    proposals,
    followUps,
    receive(sample) {
      proposals?.receive(sample);
      followUps?.receive(sample);
    },
    start() {
      loop.start();
      experiments.start();
      proposals?.start();
      followUps?.start();
    },
    async stop() {
      await Promise.all([experiments.stop(), proposals?.stop(), followUps?.stop()]);
      await loop.stop();
      await cycles.idle();
    },
    async onWithheld(event) {
      if (!(await settleWithheld(context, event))) await settleAbWithheld(context, event);
    },
    onSwapped(event) {
      context.effect.seen(event);
      if (event.superseded.length === 0) return;
      supersede(context, event.superseded).catch((thrown: unknown) => {
        deps.log.error('superseded rows were not written', { error: messageOf(thrown) });
      });
    },
    rejournal: () => context.ledger.rejournal(),
    async reconcileControl(control) {
      if (control.withdrawn.length > 0) await withdrawAll(context, control.withdrawn);
    },
  };
}

function createContext(deps: OracleDeps): OracleContext {
  const { clock, metrics } = deps;
  const kept = new Map<string, unknown>();
  const host: LeafHost = {
    keep<Value>(id: string, make: () => Value): Value {
      if (!kept.has(id)) kept.set(id, make());
      return kept.get(id) as Value;
    },
    monotonic_ms: () => clock.monotonic_ms(),
    policy_ms: () => clock.policy_ms(),
  };
  const onCommitted = (view: LedgerView, change: Change): void => {
    for (const { type, state } of change.mutations ?? []) {
      metrics.add('hive_mutations_total', [type, state]);
    }
    for (const state of ['canary', 'paused'] as const) {
      const n = view.experiments.filter((experiment) => experiment.state === state).length;
      metrics.set('hive_canaries', n, [state]);
    }
    deps.publish(stateOf(view));
    deps.publishPermits(permitsOf(deps, view));
  };
  const detectorsOf = createPolicyDetectors(deps.detectors, host);
  return {
    ...deps,
    observer: createObserver(deps.store),
    ledger: createLedger({ store: deps.store, bus: deps.bus, clock, onCommitted }),
    kinds: [...deps.mutations.values()].map((definition) => instantiate(definition, {}, host)),
    get detect() {
      return detectorsOf(deps.loaded().policy);
    },
    gatesNow: () => gatesInOrder(deps.loaded().policy.oracle.gates, deps.gates, host),
    createId: (kind) => createId(kind, clock.wall_ms()),
    effect: createEffect(),
  };
}

type Cycles = Pick<Oracle, 'tick' | 'cycle' | 'cycles'> & { idle(): Promise<void> };

/** One cycle at a time; who asks while one runs gets that one. */
function createCycles(context: OracleContext): Cycles {
  const { db } = context.store;
  let running: { readonly cycle: RunningCycle; readonly done: Promise<Cycle> } | null = null;
  const begin = (): Promise<Cycle> => {
    const cycle = newCycle(context);
    const done = runCycle(context, cycle).finally(() => {
      running = null;
    });
    running = { cycle, done };
    return done;
  };
  return {
    async tick() {
      requireOn(context);
      return running ? running.done : begin();
    },
    async cycle(id) {
      if (running?.cycle.id === id) return running.cycle;
      const found = await readCycle(db, id);
      if (found) return found as Cycle;
      throw new GatewayError('not_found', `There is no cycle ${id}.`, { param: 'id' });
    },
    async cycles(limit) {
      const now = running ? [running.cycle] : [];
      const stored = (await readCycles(db, limit)) as readonly Cycle[];
      return [...now, ...stored.filter(({ id }) => id !== now[0]?.id)].slice(0, limit);
    },
    async idle() {
      await running?.done;
    },
  };
}
