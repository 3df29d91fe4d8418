import type { Mutation, Plan } from '../core/oracle.ts';
import type { Execution } from '../oracle/oracle.ts';

const CELL_MAX = 100;

/** Columns as wide as their widest cell; an empty table is one line that says so. */
export function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): string {
  if (rows.length === 0) return none;
  const cells = [head, ...rows.map((row) => row.map((cell) => shorten(plain(cell), CELL_MAX)))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => width(row[column] ?? ''))));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** A terminal must not obey what a name or a reason holds. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

export function percentText(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

export function timeText(ms: number | null): string {
  return ms === null ? '-' : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

export function mutationText(mutation: Mutation): string {
  const { type, agent, patch, confidence, risk, why } = mutation;
  const own = (patch.agents as Record<string, unknown> | undefined)?.[agent] ?? patch;
  const sure = confidence === null ? '' : `, confidence ${confidence.value.toFixed(2)}`;
  const reason = why === null ? '' : `: ${why}`;
  return plain(`${type} ${agent} ${JSON.stringify(own)} (risk ${risk}${sure})${reason}`);
}

/** A plan in words, and what a person can do next. */
export function planText(plan: Plan): string {
  const next: Partial<Record<Plan['state'], string>> = {
    needs_approval: `It waits until ${plan.expires_at}: hive approve ${plan.id}`,
    proposed: `Run its gates and start it: hive execute ${plan.id}`,
    approved: `The next cycle starts it, or do it now: hive execute ${plan.id}`,
  };
  const mutations = plan.mutations.map((mutation) => `  ${mutationText(mutation)}`);
  const empty = plan.mutations.length === 0 ? ['  no mutations'] : [];
  const then = next[plan.state];
  const planner = plan.origin === 'oracle' ? 'the oracle' : 'a person';
  return [
    `${plan.id} is ${plan.state} (planned by ${planner}).`,
    ...mutations,
    ...empty,
    ...(then === undefined || plan.mutations.length === 0 ? [] : [then]),
  ].join('\n');
}

export function executionText({ mutations, dry_run, effective }: Execution): string {
  if (mutations.length === 0) return 'Nothing to execute: the plan has no mutations.';
  const lines = mutations.map(({ id, state, share, rollback_key, reason }) => {
    const why = reason === undefined ? '' : `: ${reason}`;
    const key =
      rollback_key === null || dry_run ? '' : `; take it back: hive rollback ${rollback_key}`;
    return plain(
      `${id} ${dry_run ? 'would be' : 'is'} ${state} at ${percentText(share)}${why}${key}`,
    );
  });
  const last = dry_run
    ? 'Nothing was written.'
    : effective
      ? 'The gateway serves it.'
      : 'Stored; the gateway has not said within a second that it serves it: hive status';
  return [...lines, last].join('\n');
}

function width(text: string): number {
  return Array.from(text).length;
}
