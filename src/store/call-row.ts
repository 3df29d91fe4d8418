import type { AbUnit } from '../core/ab/entry.ts';
import type { Tokens } from '../core/call.ts';
import type { CallEvent } from '../core/event.ts';
import { signalMetricsOf } from '../core/signals/metrics-of.ts';
import type { Columns } from './columns-given.ts';

/** What of a stored call the rollups need, when something is said of it later. */
export interface CallFacts {
  readonly id: string;
  readonly at_ms: number;
  readonly tenant: string;
  readonly agent: string;
  readonly unit: string;
  readonly user: string | null;
  readonly session: string | null;
  /** What its A/B experiment draws; absent or null where it is in none. */
  readonly ab_unit?: AbUnit | null;
  readonly intended: string | null;
  readonly served: string | null;
  readonly category?: string | null;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly share: number | null;
  readonly outcome: string;
  readonly arm_error: boolean;
  readonly origin: string;
}

/** With the refusal that rules saw in the answer, of which no other column says anything. */
function markersOf({ markers, signals }: CallEvent): readonly string[] {
  return signals?.refusal === undefined ? markers : [...markers, `refusal:${signals.refusal}`];
}

/** Whether a call is evidence: a client's, and not one that we refused. */
export function isEvidence(call: Pick<CallFacts, 'origin' | 'outcome'>): boolean {
  return call.origin === 'client' && call.outcome !== 'rejected';
}

/** Findings are made of control and unexposed traffic: the canary's is the monitor's alone. */
export function feedsFindings(arm: string | null): boolean {
  return arm === null || arm === 'control';
}

/** Whether its answer was still to be made when it ended: what it costs is told later, or never. */
export function isUnpaid({ tokens, served, finish }: CallEvent): boolean {
  if (!tokens.estimated || tokens.in > 0 || tokens.out > 0) return false;
  return served !== null && finish === null;
}

/** Where a call's own measures count: at the target chosen, also where another then served it. */
export function intendedOf(call: CallFacts) {
  return whereOf(call, call.intended ?? call.served ?? '');
}

/** Where what is said of an answer counts: at the target that gave it. */
export function servedOf(call: CallFacts) {
  return whereOf(call, call.served ?? call.intended ?? '');
}

function whereOf({ at_ms, agent, tenant, category, arm, unit }: CallFacts, target: string) {
  return {
    at_ms,
    agent,
    target: plain(target),
    tenant: plain(tenant),
    category: plain(category ?? ''),
    arm: arm ?? 'control',
    unit,
  };
}

/** Names part at tabs in the keys of cells, so a foreign name loses its own. */
function plain(name: string): string {
  return name.includes('\t') ? name.replaceAll('\t', ' ') : name;
}

/**
 * A call as a row of `calls`, and only that: what is parsed and dropped by the database costs as
 * much as what is kept. Choices without an alternative are no decisions and are left out.
 */
export function rowOfCall(event: CallEvent) {
  const { attempts } = event;
  const says = isEvidence(event) ? signalMetricsOf(event).parent.join(',') : '';
  return {
    id: event.id,
    request_id: event.request_id === event.id ? null : event.request_id,
    completion_id: event.completion_id,
    at_ms: event.at_ms,
    tenant: event.tenant,
    key: event.key,
    agent: event.agent,
    unit: event.unit,
    user: event.user,
    session: event.session,
    parent: event.parent,
    relation: event.relation,
    version: event.version,
    experiment: event.experiment,
    arm: event.arm,
    share: event.share,
    decisions: event.decisions.filter(({ options }) => options.length > 1),
    intended: event.intended,
    served: event.served,
    adapter: event.adapter,
    attempts: attempts.length,
    ttft_ms: event.ttft_ms,
    latency_ms: event.latency_ms,
    ...tokenColumns(event.tokens),
    cost_usd: event.cost_usd,
    outcome: event.outcome,
    arm_error: event.arm_error,
    finish: event.finish,
    category: event.category,
    says: says === '' ? null : says,
    markers: markersOf(event),
    origin: event.origin,
  };
}

export function tokenColumns(tokens: Tokens) {
  return {
    tokens_in: countOf(tokens.in),
    tokens_cached: countOf(tokens.cached),
    tokens_out: countOf(tokens.out),
    tokens_estimated: tokens.estimated,
  };
}

/** An upstream may report any number; one that its column cannot hold would lose the whole row. */
function countOf(tokens: number): number {
  return Math.min(COUNT_MAX, Math.round(tokens));
}

const COUNT_MAX = 2 ** 31 - 1;

/** The columns of `calls`, in the table's order. */
export const CALL_COLUMNS: Columns<ReturnType<typeof rowOfCall>> = {
  id: 'text',
  request_id: 'text',
  completion_id: 'text',
  at_ms: 'bigint',
  tenant: 'text',
  key: 'text',
  agent: 'text',
  unit: 'text',
  user: 'text',
  session: 'text',
  parent: 'text',
  relation: 'text',
  version: 'text',
  experiment: 'text',
  arm: 'text',
  share: 'float8',
  decisions: 'jsonb',
  intended: 'text',
  served: 'text',
  adapter: 'text',
  attempts: 'int',
  ttft_ms: 'float8',
  latency_ms: 'float8',
  tokens_in: 'int',
  tokens_cached: 'int',
  tokens_out: 'int',
  tokens_estimated: 'boolean',
  cost_usd: 'float8',
  outcome: 'text',
  arm_error: 'boolean',
  finish: 'text',
  category: 'text',
  says: 'text',
  markers: 'jsonb',
  origin: 'text',
};
