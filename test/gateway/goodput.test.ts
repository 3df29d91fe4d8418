import { expect, test } from 'vitest';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Resilience } from '../../src/core/policy.ts';
import type { Client } from '../../src/gateway/client.ts';
import type { After } from '../../src/gateway/clock/after.ts';
import { createOverload, type Overload, type Place } from '../../src/gateway/overload.ts';
import { createTargets, type Targets } from '../../src/gateway/targets/targets.ts';
import { type Chance, createChance } from '../fuzz/chance.ts';
import { makeSnapshot } from './snapshot.ts';

/** Simulated: an upstream that answers so many calls at a time and lets all others wait. */
const SERVICE_MS = 100;
const GOOD_MS = 1500;
const ALWAYS: Client = { gone: false, unlessGone: (work) => work, onGone() {} };

/** Time in whole milliseconds; what is due at once happens in the order it was asked for. */
function createTime() {
  const due = new Map<number, Set<() => void>>();
  let now_ms = 0;
  const after: After = (act, ms) => {
    const at_ms = now_ms + Math.max(0, Math.round(ms));
    const acts = due.get(at_ms) ?? new Set();
    due.set(at_ms, acts.add(act));
    return () => void acts.delete(act);
  };
  return {
    after,
    now_ms: () => now_ms,
    /** One millisecond, and all that follows from it. */
    tick: async (): Promise<void> => {
      for (const act of due.get(now_ms) ?? []) act();
      // A call waits for a few promises in turn.
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
      due.delete(now_ms);
      now_ms += 1;
    },
  };
}

interface World {
  readonly slots: number;
  /** Answers are late by so much at random, and the whole machine stands still now and then. */
  readonly noise_ms: number;
  readonly stall_ms: number;
}

function createUpstream(after: After, chance: Chance, { slots, noise_ms }: World) {
  const line: (() => void)[] = [];
  let busy = 0;
  const serve = (): void => {
    const answer = busy < slots ? line.shift() : undefined;
    if (!answer) return;
    busy += 1;
    after(() => {
      busy -= 1;
      after(answer, chance.next() * noise_ms);
      serve();
    }, SERVICE_MS);
  };
  return (): Promise<void> =>
    new Promise((resolve) => {
      line.push(resolve);
      serve();
    });
}

/** Good answers a second, while calls come at `rates`, each for ten seconds; of the last half. */
async function goodputs(seed: number, world: World, rates: readonly number[]) {
  const chance = createChance(seed);
  const { after, now_ms, tick } = createTime();
  const deps = { metrics: createMetrics(), monotonic_ms: now_ms, after };
  const [overload, targets] = [createOverload(deps), createTargets(deps)];
  const snapshot = makeSnapshot({ targets: { main: 'http://127.0.0.1:1/v1' } });
  const target = snapshot.targets.get('main');
  if (!target) throw new Error('no target');
  const { resilience } = snapshot.policy;
  const policy = { ...resilience, overload: { ...resilience.overload, in_flight: 'adaptive' } };
  const upstream = createUpstream(after, chance, world);
  const call = (): Promise<boolean> =>
    one({ targets, target, policy: policy as Resilience, upstream, overload });
  const results: number[] = [];
  for (const rate of rates) {
    let [good, owed, stalled_ms] = [0, 0, 0];
    const until_ms = now_ms() + 10_000;
    for (; now_ms() < until_ms; await tick()) {
      owed += rate / 1000;
      if (stalled_ms <= 0 && chance.maybe(0.002)) stalled_ms = chance.next() * world.stall_ms;
      stalled_ms -= 1;
      for (; stalled_ms <= 0 && owed >= 1; owed -= 1) {
        const begun_ms = now_ms();
        void call().then((served) => {
          const counts = now_ms() > until_ms - 5000 && now_ms() <= until_ms;
          if (served && counts && now_ms() - begun_ms <= GOOD_MS) good += 1;
        });
      }
    }
    for (let wait = 0; wait < 3000; wait += 1) await tick();
    results.push(good / 5);
  }
  targets.close();
  return results;
}

interface Asked {
  readonly targets: Targets;
  readonly target: Parameters<Targets['admit']>[0];
  readonly policy: Resilience;
  readonly upstream: () => Promise<void>;
  readonly overload: Overload;
}

/** As dispatch does it: a place in all, then one at the target. */
async function one({ targets, target, policy, upstream, overload }: Asked): Promise<boolean> {
  let place: Place | 'gone';
  try {
    place = await overload.enter(policy.overload, ALWAYS, Infinity);
  } catch {
    return false;
  }
  if (place === 'gone') return false;
  const full = targets.standing(target, policy) === 'full';
  const waiting = full ? targets.wait(target, policy, Infinity) : undefined;
  const admitted = waiting === undefined || (waiting !== null && (await waiting.admitted));
  const ticket = admitted
    ? targets.admit(target, policy, waiting ? { waited: waiting } : {})
    : null;
  if (ticket) {
    await upstream();
    ticket.settle('ok');
  }
  place.leave();
  return ticket !== null;
}

const CALM: World = { slots: 20, noise_ms: 0, stall_ms: 0 };
const NOISY: World = { slots: 20, noise_ms: 30, stall_ms: 120 };
const SEEDS = [1, 2];

test.each([
  ['calm', CALM],
  ['noisy', NOISY],
  ['wide', { ...NOISY, slots: 60 }],
] as const)('overload keeps the goodput of a %s upstream at 3 × its capacity', async (_, world) => {
  const capacity = (world.slots * 1000) / SERVICE_MS;
  for (const seed of SEEDS) {
    const rates = [capacity * 0.95, capacity * 3, capacity * 3];
    const [peak = 0, ...over] = await goodputs(seed, world, rates);
    for (const goodput of over) expect(goodput / peak).toBeGreaterThanOrEqual(0.9);
  }
});
