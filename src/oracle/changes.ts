import type { MutationRecord } from '../core/ledger.ts';
import type { Policy } from '../core/policy.ts';
import { agentsMovedBy, isPromptRow } from '../core/prompt/rows.ts';

const HOUR_MS = 3_600_000;

/**
 * Agents with an experiment, whose users do not meet the main plan alone; and those that changed so
 * lately that no whole hour of the new policy has been seen.
 */
export function frozenAgents(
  rows: readonly MutationRecord[],
  policy: Policy,
  at_ms: number,
): readonly string[] {
  const live = rows.filter(({ state }) => state === 'canary' || state === 'paused');
  const changed = Object.entries(lastChanges(rows, policy)).filter(
    ([, changed_ms]) => at_ms < Math.ceil(changed_ms / HOUR_MS) * HOUR_MS,
  );
  const frozen = [...live.map(({ agent }) => agent), ...changed.map(([agent]) => agent)];
  return [...new Set(frozen)].sort();
}

/**
 * When each agent's main plan last changed: a promotion, or the withdrawal of what was promoted.
 */
export function lastChanges(
  rows: readonly MutationRecord[],
  policy: Policy,
): Record<string, number> {
  const changes: Record<string, number> = {};
  for (const row of rows) {
    const { applied_ms, ended_ms } = row;
    if (applied_ms === null) continue;
    for (const agent of isPromptRow(row) ? agentsMovedBy(row, policy) : [row.agent]) {
      changes[agent] = Math.max(changes[agent] ?? 0, applied_ms, ended_ms ?? 0);
    }
  }
  return changes;
}
