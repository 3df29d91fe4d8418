import type { MutationRecord } from '../core/ledger.ts';

const HOUR_MS = 3_600_000;

/**
 * Agents with an experiment, whose users do not meet the main plan alone; and those that changed so
 * lately that no whole hour of the new policy has been seen.
 */
export function frozenAgents(rows: readonly MutationRecord[], at_ms: number): readonly string[] {
  const live = rows.filter(({ state }) => state === 'canary' || state === 'paused');
  const changed = Object.entries(lastChanges(rows)).filter(
    ([, changed_ms]) => at_ms < Math.ceil(changed_ms / HOUR_MS) * HOUR_MS,
  );
  const frozen = [...live.map(({ agent }) => agent), ...changed.map(([agent]) => agent)];
  return [...new Set(frozen)].sort();
}

/**
 * When each agent's main plan last changed: a promotion, or the withdrawal of what was promoted.
 */
export function lastChanges(rows: readonly MutationRecord[]): Record<string, number> {
  const changes: Record<string, number> = {};
  for (const { agent, applied_ms, ended_ms } of rows) {
    if (applied_ms === null) continue;
    changes[agent] = Math.max(changes[agent] ?? 0, applied_ms, ended_ms ?? 0);
  }
  return changes;
}
