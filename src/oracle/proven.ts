import { changeOf } from '../core/ab/change.ts';
import { AB_METRICS } from '../core/ab/metrics.ts';
import type { AbRecord } from '../core/ab/record.ts';
import type { AbArmReport, AbComparison } from '../core/ab/report.ts';
import type { ProvenBest } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import type { ProvenRoute } from '../core/routing/proven-routes.ts';
import type { RouterReport } from './learn-table.ts';

/**
 * What A/B experiments and routers have proven, as the oracle may tell it. An experiment's winner
 * is told from its end until the agent is as the winner has it, or it leaves the policy.
 */
export function provenOf(
  policy: Policy,
  ab: readonly AbRecord[],
  routers: readonly RouterReport[],
): readonly ProvenBest[] {
  return [
    ...ab.flatMap((record) => winnerOf(policy, record) ?? []),
    ...routers.flatMap((router) => router.proven.flatMap((route) => routeOf(router, route) ?? [])),
    ...routers.flatMap((router) => worthOf(router) ?? []),
  ];
}

function winnerOf(policy: Policy, record: AbRecord): ProvenBest | null {
  const { entry, verdict, report, state, agent } = record;
  if (state !== 'stopped' || verdict?.kind !== 'winner' || report === null) return null;
  const arm = verdict.arm ?? '';
  if (changeOf(policy, entry, arm) === 'none') return null;
  const one = report.comparisons.find((each) => each.arm === arm && each.role === 'primary');
  const [own, control] = [arm, 'control'].map((name) => report.arms.find((a) => a.arm === name));
  if (!one || !own || !control) return null;
  const [value, other] = [own, control].map((each) => measuredIn(each, one));
  if (!value || !other) return null;
  const high = one.high ?? Number.MAX_VALUE;
  return {
    metric: 'experiment',
    kind: 'arm',
    segment: { agent, target: null },
    subject: `${arm} of experiment ${record.id}`,
    of: one.of,
    measure: AB_METRICS[one.metric].measure,
    value: value.mean,
    against: { name: 'control', value: other.mean },
    interval: [other.mean * (1 + one.low), other.mean * (1 + high)],
    alpha: one.alpha,
    e: one.e,
    p: one.p,
    n: value.n + other.n,
    units: own.units + control.units,
    since_ms: record.stopped_ms,
    done: becameOf(record),
  };
}

/** A metric in an arm, as its change is a change of: of `success` those that failed. */
function measuredIn(
  { metrics }: AbArmReport,
  { metric }: AbComparison,
): { readonly n: number; readonly mean: number } | null {
  const found = metrics.find((each) => each.metric === metric);
  if (!found || found.value === null) return null;
  return { n: found.n, mean: metric === 'success' ? 1 - found.value : found.value };
}

function becameOf({ plan, no_plan }: AbRecord): string {
  if (plan !== null) return `Plan ${plan} was made of it, and waits for a person or has its end.`;
  if (no_plan !== null) return `No plan was made of it: ${no_plan}.`;
  return 'Nothing was changed: the experiment only reports (`at_end: report`).';
}

/** Only where also the e-value is as large as its part of `delta` asks. */
function routeOf(router: RouterReport, route: ProvenRoute): ProvenBest | null {
  const { category, target, mean, units, next, alpha, exploited } = route;
  if (next.interval === null || next.e < 1 / alpha) return null;
  const [low, high] = next.interval;
  return {
    metric: 'route',
    kind: 'target',
    segment: { agent: router.agent, target, ...(category === '' ? {} : { category }) },
    subject: target,
    of: `reward (${router.reward})`,
    measure: 'index',
    value: mean,
    against: { name: next.target, value: next.mean },
    interval: [next.mean + low, next.mean + high],
    alpha: 0.05,
    e: next.e,
    p: Math.min(1, 1 / next.e),
    n: units + next.units,
    units: units + next.units,
    since_ms: null,
    done: exploited
      ? 'It gets all calls but the floors (`on_proven: exploit`).'
      : 'Nothing was changed: the router only reports (`on_proven: report`).',
  };
}

/** That looking at calls pays, or does not: told by the target over which it pays least. */
function worthOf({ agent, strategy, reward, worth }: RouterReport): ProvenBest | null {
  const { verdict = null, over = [], units = 0 } = worth ?? {};
  const least = over[0];
  if (verdict === null || !least || least.interval === null) return null;
  const [low, high] = least.interval;
  const pays = verdict === 'context';
  const names = { router: `strategy ${strategy}`, one: `always ${least.target}` };
  return {
    metric: 'route',
    kind: verdict,
    segment: { agent, target: pays ? null : least.target },
    subject: pays ? names.router : names.one,
    of: `reward (${reward})`,
    measure: 'index',
    value: Math.abs(least.difference),
    against: { name: pays ? names.one : names.router, value: 0 },
    interval: pays ? [low, high] : [-high, -low],
    alpha: 0.05,
    e: least.e,
    p: Math.min(1, 1 / least.e),
    n: units,
    units,
    since_ms: null,
    done: 'Nothing was changed: with context a router only reports.',
  };
}
