import type { JsonObject } from '../core/canonical.ts';
import { harmOf } from '../core/finding.ts';
import { valuesBefore } from '../core/fold.ts';
import type { IdKind } from '../core/ids.ts';
import type { MutationRecord } from '../core/ledger.ts';
import type { Confidence, Finding, Mutation, MutationKind, Plan } from '../core/oracle.ts';
import { touchedPointers } from '../core/pointer.ts';
import type { Policy } from '../core/policy.ts';
import { isPromptRow } from '../core/prompt/rows.ts';
import { betaPosterior } from '../core/statistics.ts';

/** What decide looks at beside the findings. */
export interface Situation {
  /** The policy in force. */
  readonly policy: Policy;
  readonly kinds: readonly MutationKind[];
  /** Every mutation row, whatever its end. */
  readonly rows: readonly MutationRecord[];
  /** Agents in an A/B experiment, and its name. */
  readonly ab?: Readonly<Record<string, string>>;
  /** Plans that are proposed, wait for a person, or are approved. */
  readonly open: readonly Plan[];
}

export interface Decision {
  readonly mutations: readonly Mutation[];
  /** Why nothing is proposed for an agent that has a finding. */
  readonly withheld: readonly { readonly agent: string; readonly reason: string }[];
  /** Open plans that stand for what would have been proposed. */
  readonly covered: readonly string[];
}

/**
 * Findings to mutations: at most one an agent, of its gravest finding for which a strategy still
 * has something to try. Only findings at action level are planned on, and only such as a canary
 * could disprove by a metric of harm. Nothing is proposed for an agent that is in an experiment or
 * has an open plan.
 */
export function decide(
  findings: readonly Finding[],
  situation: Situation,
  createId: (kind: IdKind) => string,
): Decision {
  const mutations: Mutation[] = [];
  const withheld: { agent: string; reason: string }[] = [];
  const covered = new Set<string>();
  const { ab = {} } = situation;
  const firm = findings.filter(isActionable);
  for (const agent of new Set(firm.map(({ segment }) => segment.agent))) {
    const open = situation.open.find((plan) => standsFor(plan, agent));
    const live = situation.rows.find(
      (row) => row.agent === agent && (row.state === 'canary' || row.state === 'paused'),
    );
    if (open) {
      if (open.origin === 'oracle') covered.add(open.id);
      withheld.push({ agent, reason: `plan ${open.id} is open` });
    } else if (Object.hasOwn(ab, agent)) {
      withheld.push({ agent, reason: `the A/B experiment ${ab[agent]} is live` });
    } else if (live) withheld.push({ agent, reason: `experiment with ${live.id} is live` });
    else {
      const own = firm.filter(({ segment }) => segment.agent === agent);
      const mutation = propose(own, situation, createId);
      if (mutation) mutations.push(mutation);
      else withheld.push({ agent, reason: 'no strategy has anything left to try' });
    }
  }
  return { mutations, withheld, covered: [...covered] };
}

function isActionable({ level, metric, direction }: Finding): boolean {
  return level === 'act' && direction === 'worse' && harmOf(metric) !== null;
}

/** A person's plan that nobody approved yet does not keep the oracle from its own work. */
function standsFor(plan: Plan, agent: string): boolean {
  const bound = plan.origin === 'oracle' || plan.state === 'approved';
  return bound && plan.mutations.some((mutation) => mutation.agent === agent);
}

function propose(
  findings: readonly Finding[],
  situation: Situation,
  createId: (kind: IdKind) => string,
): Mutation | null {
  for (const finding of findings) {
    const { agent } = finding.segment;
    const primary = harmOf(finding.metric);
    if (primary === null) continue;
    const planned = situation.open.flatMap(({ mutations }) => mutations);
    const tried = [...situation.rows, ...planned]
      .filter((one) => one.agent === agent)
      .map(({ patch }) => patch);
    for (const kind of situation.kinds) {
      const change = kind.propose?.(finding, { policy: situation.policy, tried });
      if (!change) continue;
      const base = mutationOf(kind, agent, change.patch, situation.policy, createId);
      return {
        ...base,
        primary,
        confidence: confidenceIn(kind.type, situation.rows),
        // A rate is expected to fall back to its yardstick; milliseconds are no change of a rate.
        expected: finding.measure === 'share' ? -finding.effect : null,
        finding: finding.id,
        why: `${finding.text} ${change.why}`,
      };
    }
  }
  return null;
}

/**
 * A mutation with what it touches and what lies there now; a person's, until a finding is named.
 */
export function mutationOf(
  kind: MutationKind,
  agent: string,
  patch: JsonObject,
  policy: Policy,
  createId: (kind: IdKind) => string,
): Mutation {
  const touches = touchedPointers(patch);
  return {
    id: createId('mut'),
    type: kind.type,
    agent,
    touches,
    before: valuesBefore(policy, touches),
    patch,
    primary: 'dissatisfied',
    confidence: null,
    risk: kind.risk,
    expected: null,
    finding: null,
    why: null,
  };
}

/**
 * The chance that a mutation of this type does what it claims, learnt from those whose end is
 * known: in force is a success, taken back (by the monitor, inconclusive or by a person) is none.
 * Labels that people move are no record of the oracle's.
 */
export function confidenceIn(
  type: Mutation['type'],
  rows: readonly Pick<MutationRecord, 'type' | 'state' | 'agent'>[],
): Confidence {
  const own = rows.filter((row) => row.type === type && !isPromptRow(row));
  const successes = own.filter(({ state }) => state === 'applied').length;
  const failures = own.filter(({ state }) => state === 'withdrawn').length;
  const { mean, lower } = betaPosterior(successes, failures);
  return { value: mean, lower };
}
