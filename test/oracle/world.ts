import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { JsonObject } from '../../src/core/canonical.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { CallEvent, FeedbackEvent, JournalRecord, LedgerEvent } from '../../src/core/event.ts';
import { fold, versionOf } from '../../src/core/fold.ts';
import { uuidv7 } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Plan } from '../../src/core/oracle.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { Permit, State } from '../../src/core/state.ts';
import { inShare } from '../../src/core/unit.ts';
import {
  createOracle,
  type OracleDeps,
  type RunningOracle,
} from '../../src/oracle/create-oracle.ts';
import { detectors } from '../../src/oracle/detectors/index.ts';
import { gates } from '../../src/oracle/gates/index.ts';
import { mutations } from '../../src/oracle/mutations/index.ts';
import { applyBatch } from '../../src/store/apply.ts';
import type { Store } from '../../src/store/open.ts';
import { callEvent as clientCall, feedbackEvent, saidOf } from '../kit/events.ts';
import { emptyStore, openTestStore } from '../kit/store.ts';
import { ADAPTER_PATCH, CONTENTS, loadedPolicy, POLICY } from './kit.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
const START_MS = Date.UTC(2026, 0, 5, 12);

/**
 * An oracle on a real store, with the gateway played by the test: it folds what it is sent at once.
 */
export interface World {
  readonly oracle: RunningOracle;
  readonly store: Store;
  readonly journal: LedgerEvent[];
  readonly control: string[];
  now_ms: number;
  policy: Policy;
  frozen: boolean;
  /** Whether the gateway answers what it is sent with `policy.swapped`. */
  answers: boolean;
  /** Where the journal refuses: the next decision is not acknowledged. */
  refuse: boolean;
  state(): State;
  permits(): readonly Permit[];
  /**
   * Calls of an agent, one unit each, each rated; `unhappy` says what share of an arm is
   * dissatisfied.
   */
  serve(traffic: Traffic): Promise<void>;
  apply(records: readonly JournalRecord[]): Promise<void>;
}

export interface Traffic {
  readonly agent: string;
  readonly units: number;
  /** Policy milliseconds over which they come. */
  readonly over_ms: number;
  unhappy(arm: 'canary' | 'control', unit: number): boolean;
  failed?(arm: 'canary' | 'control', unit: number): boolean;
}

/** A store for the tests of a file, empty when each begins, and a world of its own for each. */
export function eachInWorld(take: (world: World, store: Store) => void, policy?: Policy): void {
  let store: Store;
  beforeAll(async () => {
    store = await openTestStore();
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    await emptyStore(store);
    take(createWorld(store, policy), store);
  });
}

export function createWorld(
  store: Store,
  policy: Policy = POLICY,
  more: Partial<OracleDeps> = {},
): World {
  const published: State[] = [];
  let permits: readonly Permit[] = [];
  const world = {
    store,
    journal: [] as LedgerEvent[],
    control: [] as string[],
    now_ms: START_MS,
    policy,
    frozen: false,
    answers: true,
    refuse: false,
    state: () => published.at(-1) as State,
    permits: () => permits,
    apply: applierTo(store),
    serve: (traffic: Traffic) => serve(built, traffic),
  };
  const oracle = createOracle({
    store,
    clock: clockAt(() => world.now_ms),
    metrics: createMetrics(),
    log: silentLog,
    detectors,
    mutations,
    gates,
    bus: {
      async acknowledge(records) {
        if (world.refuse) throw new Error('the disk refuses');
        world.journal.push(...(records as LedgerEvent[]));
      },
    },
    loaded: () => loadedPolicy(world.policy),
    problemsOf: () => [],
    drain: async () => {},
    publish(state) {
      published.push(state);
      if (!world.answers) return;
      const { epoch } = state;
      const at_ms = world.now_ms;
      oracle.onSwapped({
        type: 'policy.swapped',
        v: 1,
        at_ms,
        epoch,
        version: '',
        superseded: [],
      });
    },
    publishPermits(sent) {
      permits = sent;
    },
    frozen: () => world.frozen,
    writeControlWithdrawn: (key) => void world.control.push(key),
    random: () => 0.5,
    ...more,
  });
  const built: World = Object.assign(world, { oracle });
  return built;
}

function clockAt(now: () => number): Clock {
  return {
    monotonic_ms: () => performance.now(),
    wall_ms: now,
    policy_ms: now,
    origin: { origin_ms: 0, scale: 1 },
  };
}

/** Applies records as the worker's tail does, as if they stood in one segment of the journal. */
function applierTo(store: Store): World['apply'] {
  const deps = { metrics: createMetrics(), log: silentLog };
  const segment = 'g0-test-1.log';
  let offset = 0;
  return async (given) => {
    const records = given.map((record, index) => ({ segment, offset: offset + index, record }));
    offset += given.length;
    await applyBatch(
      store,
      { records, dead: [], cursors: [{ segment, offset, done: false }] },
      deps,
    );
  };
}

async function serve(world: World, traffic: Traffic): Promise<void> {
  const experiment = world.state()?.experiments.find(({ agent }) => agent === traffic.agent);
  const permit = world.permits().find((one) => one.experiment === experiment?.id);
  const records: JournalRecord[] = [];
  const from_ms = world.now_ms;
  for (let index = 0; index < traffic.units; index += 1) {
    const at_ms = from_ms + Math.floor((traffic.over_ms * (index + 1)) / traffic.units);
    const id = uuidv7(at_ms);
    const unit = `u:${id}`;
    const inArm = permit !== undefined && inShare(permit.experiment, unit, permit.share);
    const arm = inArm ? 'canary' : 'control';
    const call = callEvent(id, unit, at_ms, traffic.agent, traffic.failed?.(arm, index) ?? false);
    const { experiment: of, share } = permit ?? { experiment: null, share: null };
    records.push({ ...call, experiment: of, arm: permit ? arm : null, share });
    records.push(rating(call, traffic.unhappy(arm, index) ? 1 : 5));
  }
  world.now_ms = from_ms + traffic.over_ms;
  await world.apply(records);
}

function callEvent(
  id: string,
  unit: string,
  at_ms: number,
  agent: string,
  failed: boolean,
): CallEvent {
  const outcome = failed ? 'error' : 'ok';
  return clientCall(`call_${id}`, {
    request_id: id,
    completion_id: null,
    at_ms,
    agent,
    unit,
    user: unit,
    version: 'v',
    attempts: [{ target: 'demo', outcome, error: null, ttft_ms: 5, ms: 20 }],
    latency_ms: 20,
    outcome,
    arm_error: failed,
    tokens: { in: 1, cached: 0, out: 1, estimated: false },
  });
}

function rating(call: CallEvent, value: number): FeedbackEvent {
  return feedbackEvent(`fb_${call.request_id}.rating`, saidOf(call, value, 1));
}

/** Two hours in which the agent's users are unhappy with whatever is not the canary. */
export async function unhappyTraffic(world: World): Promise<void> {
  const unhappy = (arm: string) => arm === 'control';
  await world.serve({ agent: 'solo', units: 60, over_ms: 2 * HOUR_MS, unhappy });
}

/** The oracle's own plan for that, approved by a person. */
export async function approvedPlan(world: World): Promise<Plan> {
  await unhappyTraffic(world);
  await world.oracle.tick();
  const [plan] = await world.oracle.plans('needs_approval');
  return world.oracle.approve((plan as Plan).id, 'ada', null);
}

/** A person's plan of one mutation. */
export function ownPlan(
  world: World,
  patch: JsonObject = ADAPTER_PATCH,
  type = 'LORA_APPLY',
  agent = 'solo',
): Promise<Plan> {
  return world.oracle.plan({ mutations: [{ type, agent, patch }] });
}

/** What the gateway serves as its main plan. */
export function servedVersion(world: World): string {
  const applied = world.state().rows.filter(({ state }) => state === 'applied');
  return versionOf(fold(world.policy, applied, CONTENTS).policy);
}

/** The code of the error that the work ends in, `none` where it succeeds. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'none',
    (thrown: { code?: string }) => thrown.code,
  );
}
