import type { Arm, CanaryStats, Cell } from '../../src/core/canary.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const AT_MS = 40 * DAY_MS;

export function cell(
  metric: Cell['metric'],
  share: number,
  arm: Arm,
  units: number,
  matured = units,
): Cell {
  return { metric, share, arm, units, matured };
}

/** A canary at its last share with nothing wrong, nothing proved, and every minimum reached. */
export function statsOf(change: Partial<CanaryStats> = {}): CanaryStats {
  return {
    experiment: 'exp_1',
    agent: 'solo',
    share: 0.5,
    primary: 'dissatisfied',
    started_ms: AT_MS - 5 * HOUR_MS,
    share_since_ms: AT_MS - HOUR_MS,
    cells: [cell('assigned', 0.5, 'canary', 200), cell('assigned', 0.5, 'control', 200)],
    evidence_max: {},
    canary_last_ms: AT_MS - 1000,
    control_units_since: 0,
    canary_units: 200,
    canary_units_at_share: 200,
    arrivals: null,
    complaints: 0,
    withheld: null,
    expiries: 0,
    ...change,
  };
}
