import type { CallEvent, FeedbackEvent } from '../core/event.ts';
import type { MutationRecord } from '../core/ledger.ts';
import type { Policy } from '../core/policy.ts';
import { createCollector } from './collect.ts';
import { createFindingsLog } from './findings-log.ts';
import { type Lived, liveThrough, unitOf } from './live.ts';
import { createLoop, type Loop } from './loop.ts';
import type { Served } from './models.ts';
import { createOmniscient, worthOf } from './omniscient.ts';
import { worldPolicy } from './policy-files.ts';
import type { ChangeRow, SimReport } from './report.ts';
import type { Scenario, World } from './scenario.ts';
import { createComparer, createScorer } from './score.ts';
import { type Assigned, assign, type InForce, servedAs } from './serve.ts';
import { createTraffic, type Visit, WORLD_BEGIN_MS } from './traffic.ts';
import { createTrials } from './trials.ts';

export interface RunOptions {
  readonly seed: number;
  /** Less than the world's own days, or more. */
  readonly days?: number;
  /** Which detectors look; all by default. Those of series cost most of a run's time. */
  readonly detectors?: readonly string[];
  readonly problemsOf?: (policy: Policy) => readonly string[];
  /** 0..1, at each tick. */
  readonly onProgress?: (share: number) => void;
  /** Every event in the order of time, as the gateway would journal it. */
  readonly onEvent?: (event: CallEvent | FeedbackEvent) => void;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
export const WINDOW_HOURS = 24;

/**
 * A world lived through in process, against the oracle's pure stages. The same visits are lived
 * through twice more with the same luck: with nothing ever changed, and as someone would choose who
 * knows the world.
 */
export function runWorld(world: World, options: RunOptions): SimReport {
  const { scenario } = world;
  const days = options.days ?? scenario.days;
  const end_ms = days * DAY_MS;
  const loaded = worldPolicy(scenario);
  const trials = createTrials();
  const collector = createCollector(trials);
  const { problemsOf, detectors } = options;
  const loop = createLoop({
    loaded,
    collector,
    trials,
    run: `${world.name}-${options.seed}`,
    window_hours: WINDOW_HOURS,
    person: scenario.person,
    ...(problemsOf ? { problemsOf } : {}),
    ...(detectors ? { detectors } : {}),
  });
  const traffic = createTraffic(world, options.seed);
  const lives = createLives(world, loaded.policy, options.seed);
  const log = createFindingsLog({ ...scenario, days }, WINDOW_HOURS);
  const queue = createQueue();
  let ticks = 0;
  for (let t_ms = scenario.tick_minutes * MINUTE_MS; t_ms <= end_ms; ) {
    const now = loop.inForce();
    for (const visit of traffic.before(t_ms)) queue.add(lives.live(visit, now));
    for (const event of queue.before(WORLD_BEGIN_MS + t_ms)) {
      options.onEvent?.(event);
      if (event.type === 'feedback') collector.feedback(event);
      else {
        collector.call(event);
        log.call(event);
      }
    }
    loop.brake(WORLD_BEGIN_MS + t_ms);
    log.look(loop.tick(WORLD_BEGIN_MS + t_ms), t_ms);
    ticks += 1;
    options.onProgress?.(t_ms / end_ms);
    t_ms += scenario.tick_minutes * MINUTE_MS;
  }
  const { seed } = options;
  return {
    world: world.name,
    seed,
    driver: 'in_process',
    days,
    calls: queue.calls(),
    feedback: queue.feedback(),
    ticks,
    ...log.rows(),
    changes: loop.rows().map((row) => changeOf(row, loop, scenario, loaded.policy)),
    ...lives.scores(),
  };
}

/** Each visit, in three lives. */
function createLives(world: World, policy: Policy, seed: number) {
  const { scenario } = world;
  const base: InForce = { version: '', policy, arms: new Map() };
  const omniscient = createOmniscient(scenario, policy.agents);
  const scorers = [1, 2, 3].map(() => createScorer(scenario.worth_usd));
  const comparer = createComparer();
  const [assignNow, assignBase] = [createAssigner(), createAssigner()];
  let ids = 0;
  return {
    live(visit: Visit, now: InForce): Lived {
      ids += 1;
      const agent = scenario.users[visit.users]?.agent ?? '';
      const unit = unitOf(visit);
      const best = omniscient.best(agent, visit.t_ms);
      const none = assignBase(base, agent, unit);
      const own = assignNow(now, agent, unit);
      const lives: { readonly served: Served; readonly lived: Lived }[] = [];
      // Who is served the same meets the same luck: the same life, and lived through once.
      const as = (served: Assigned): Lived => {
        const known = lives.find((one) => isSame(one.served, served));
        if (known) return known.lived;
        const lived = liveThrough(world, visit, served, `${seed}-${ids}`);
        lives.push({ served, lived });
        return lived;
      };
      const lived = as(own);
      const still = as(none);
      const known = as({ ...none, ...best });
      for (const [index, life] of [still, lived, known].entries()) scorers[index]?.add(life);
      comparer.add(lived, still);
      return lived;
    },
    scores() {
      const [nothing, loop, known] = scorers.map((scorer) => scorer.score());
      if (!nothing || !loop || !known) throw new Error('a life is missing');
      return { nothing, loop, omniscient: known, compared: comparer.compared() };
    },
  };
}

const isSame = (one: Served, other: Served): boolean =>
  one.model === other.model && one.prompt === other.prompt && one.adapter === other.adapter;

/** Draws a unit's choice once for as long as the same is in force. */
function createAssigner(): typeof assign {
  let [of, drawn]: [InForce | null, Map<string, Assigned>] = [null, new Map()];
  return (now, agent, unit) => {
    if (of !== now) [of, drawn] = [now, new Map()];
    const key = `${agent}\0${unit}`;
    const known = drawn.get(key) ?? assign(now, agent, unit);
    drawn.set(key, known);
    return known;
  };
}

type Event = CallEvent | FeedbackEvent;

/** Events that are still to come, in the order of time. */
function createQueue() {
  let waiting: Event[] = [];
  const counts = { call: 0, feedback: 0 };
  return {
    add({ calls, feedback }: Lived): void {
      waiting.push(...calls, ...feedback);
    },
    before(at_ms: number): readonly Event[] {
      const now: Event[] = [];
      const later: Event[] = [];
      for (const event of waiting) (event.at_ms < at_ms ? now : later).push(event);
      for (const { type } of now) counts[type] += 1;
      waiting = later;
      return now.sort((left, right) => left.at_ms - right.at_ms);
    },
    calls: () => counts.call,
    feedback: () => counts.feedback,
  };
}

function changeOf(row: MutationRecord, loop: Loop, scenario: Scenario, base: Policy): ChangeRow {
  const since = (at_ms: number): number => (at_ms - WORLD_BEGIN_MS) / DAY_MS;
  const begun_ms = row.executed_ms ?? row.ended_ms ?? WORLD_BEGIN_MS;
  const ended = loop.experiments().find(({ row: id }) => id === row.id)?.ended_ms ?? null;
  return {
    day: since(begun_ms),
    type: row.type,
    agent: row.agent,
    patch: row.patch,
    state: row.state,
    reason: row.reason,
    ended_day: ended === null ? null : since(ended),
    worth_usd: worthOfPatch(row, scenario, base, begun_ms - WORLD_BEGIN_MS),
  };
}

/** What a change of one agent's prompt, adapter or targets is worth a call, on its own. */
function worthOfPatch(
  row: MutationRecord,
  scenario: Scenario,
  base: Policy,
  t_ms: number,
): number | null {
  const before = base.agents[row.agent];
  const patch = (row.patch.agents as Record<string, object> | undefined)?.[row.agent];
  if (!before || !patch) return null;
  const merged = { ...before, ...patch };
  const targets = Object.entries({ ...before.targets, ...merged.targets }).filter(
    ([, weight]) => weight !== null,
  );
  const worth = (entry: typeof before, weights: typeof targets): number => {
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
    return weights.reduce((sum, [model, weight]) => {
      const own = worthOf(scenario, row.agent, servedAs(entry, model), t_ms);
      return sum + (own * weight) / (total || 1);
    }, 0);
  };
  return worth(merged, targets) - worth(before, Object.entries(before.targets));
}
