import { instantiate } from '../../src/core/definition.ts';
import type { Finding } from '../../src/core/finding.ts';
import { analyze } from '../../src/oracle/analyze.ts';
import { detectors } from '../../src/oracle/detectors/index.ts';
import { HOST, testId } from './kit.ts';
import { observationAt } from './observe-traffic.ts';
import {
  type Attack,
  type CallRecord,
  type Change,
  DAY_MS,
  HOUR_MS,
  QUIET_PLAN,
  simulateCalls,
  type TrafficPlan,
} from './traffic.ts';

/** The figures that findings are held to, each on worlds of its own seed. */

const NAMED = [...detectors].map(([name, definition]) => ({
  name,
  detect: instantiate(definition, {}, HOST),
}));

/** Every detector as it is shipped, on the calls up to `at_ms`. */
export function look(
  calls: readonly CallRecord[],
  at_ms: number,
  previous: readonly Finding[] = [],
): readonly Finding[] {
  return analyze(observationAt(calls, at_ms), NAMED, testId as never, previous).findings;
}

/** What is told in a week in which nothing is wrong: each standing finding once. */
export function quietWeek(seed: number, hours: number, plan: Partial<TrafficPlan> = {}): Finding[] {
  const calls = simulateCalls({ ...QUIET_PLAN, ...plan, seed, days: 16 });
  const told = new Map<string, Finding>();
  let previous: readonly Finding[] = [];
  for (let at_ms = 9 * DAY_MS; at_ms <= 16 * DAY_MS; at_ms += hours * HOUR_MS) {
    previous = look(calls, at_ms, previous);
    for (const finding of previous) if (!told.has(finding.key)) told.set(finding.key, finding);
  }
  return [...told.values()];
}

export const DEGRADATIONS: readonly (Change & { readonly name: string })[] = [
  { name: '20 % latency of all targets', at_ms: 0, latency: 1.2 },
  { name: '20 % latency of one target', at_ms: 0, latency: 1.2, target: 'large' },
  { name: '3 points of success of all targets', at_ms: 0, error: 0.03 },
  { name: '3 points of success of one target', at_ms: 0, error: 0.03, target: 'mini' },
];
export const SPEEDS = [1000, 3000, 12000];

/**
 * Whether a degradation is found by the time its segment has had 2,000 calls: looked at after 500,
 * 1,000, 1,500 and 2,000 of them. It begins at any hour of the day. A finding of the agent counts
 * for its target: which of the two says it is a matter of what else is known.
 */
export function isFound(change: Change, calls_a_day: number, seed: number): boolean {
  const share = change.target === 'large' ? 0.4 : change.target === 'mini' ? 0.6 : 1;
  const at_ms = 9 * DAY_MS + (seed % 24) * HOUR_MS + (seed % 60) * 60_000;
  const end_ms = at_ms + (2400 / share / calls_a_day) * DAY_MS;
  const calls = simulateCalls({
    ...QUIET_PLAN,
    seed,
    calls_a_day,
    users: Math.round(calls_a_day * 0.6),
    days: Math.ceil(end_ms / DAY_MS),
    changes: [{ ...change, at_ms }],
  });
  const own = calls.filter(
    (call) => call.at_ms >= at_ms && (change.target ?? call.target) === call.target,
  );
  const metric = change.error === undefined ? 'latency_ms' : 'error';
  return [499, 999, 1499, 1999].some((index) => {
    const at = own[index]?.at_ms;
    if (at === undefined) return false;
    return look(calls, at).some(
      ({ segment, metric: about, direction }) =>
        about === metric &&
        direction === 'worse' &&
        (segment.target === null || segment.target === (change.target ?? segment.target)),
    );
  });
}

export const ATTACKS = ['loud', 'sybils', 'flood'] as const;

/** What is told at action level while somebody of ill will rates; nothing else is wrong. */
export function underAttack(kind: (typeof ATTACKS)[number], seed: number): readonly Finding[] {
  const plan: TrafficPlan = {
    ...QUIET_PLAN,
    calls_a_day: 600,
    users: 400,
    rated: 0.5,
    days: 10,
    seed,
  };
  const at_ms = 9 * DAY_MS;
  const ratings = plan.calls_a_day * plan.rated;
  const attacks: Record<typeof kind, Attack> = {
    // A fifth of all feedback is one user's.
    loud: { at_ms, tenant: 't0', raters: 1, ratings: Math.round(ratings / 4) },
    // A twentieth of all users, spread over the tenants, rate all they can.
    sybils: { at_ms, tenant: null, raters: Math.round(plan.users / 19), ratings: 200 },
    flood: { at_ms, tenant: 't9', raters: 10_000, ratings: 10_000 },
  };
  const calls = simulateCalls({ ...plan, attacks: [attacks[kind]] });
  return [8, 24].flatMap((hours) =>
    look(calls, at_ms + hours * HOUR_MS).filter(({ level }) => level === 'act'),
  );
}
