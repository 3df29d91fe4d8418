import type { CanaryStats } from '../core/canary.ts';
import type { CanaryPolicy } from '../core/policy.ts';

/**
 * Whether a canary can still get the units that its minimums ask for. Pure. A change that cannot be
 * proved must not be served until `days_max`: with few users, a small share has all its units after
 * a day or two, and waiting brings no more.
 */
export interface Outlook {
  /** Why units_min cannot be reached before `days_max`, or null. */
  readonly hopeless: string | null;
  /** Whether it has run long enough to say how many units there are. */
  readonly known: boolean;
  /** Canary units that this share needs: `step.units`, or fewer where those will not come. */
  readonly step_units: number;
  /** Why it is fewer than `step.units`, or that not even those will come; null where all may. */
  readonly starved: string | null;
  /** Whether not even `step_units` can be reached before `days_max`. */
  readonly stuck: boolean;
  /** Whether, at the last day's pace, all of `days_max` would not bring as many units again. */
  readonly exhausted: boolean;
  /** Whether besides fewer units will still show the primary metric than have shown it. */
  readonly saturated: boolean;
}

const DAY_MS = 86_400_000;
/** How many days of an experiment say how many units there are: a weekend and a day. */
const POPULATION_DAYS = 3;
/** Without more to come, this part of `step.units` screens a step. */
const STARVED_PART = 1 / 3;

export function outlookOf(
  stats: CanaryStats,
  canary: CanaryPolicy,
  steps: readonly number[],
  at_ms: number,
): Outlook {
  const { step, days_max } = canary;
  const { arrivals, share, canary_units_at_share: here } = stats;
  const days = (at_ms - stats.started_ms) / DAY_MS;
  const known = days >= POPULATION_DAYS;
  const open = {
    hopeless: null,
    known,
    step_units: step.units,
    starved: null,
    stuck: false,
    exhausted: false,
    saturated: false,
  };
  if (arrivals === null) return open;
  const last = steps.at(-1) ?? share;
  const hopeless = known ? hopelessReason(stats, canary, last, at_ms) : null;
  if (at_ms - stats.share_since_ms < DAY_MS) return { ...open, hopeless };
  const exhausted = arrivals.in_all * days_max < unitsOf(stats);
  const left_days = Math.max(0, days_max - days);
  const counted = countedOf(stats);
  const to_count = Math.min(unitsOf(stats) - counted, arrivals.primary * left_days);
  const saturated = exhausted && to_count < counted;
  const later = steps.filter((one) => one > share + 1e-9);
  const step_days = left_days / (later.length + 1);
  const within = (some: number): number => here + share * arrivals.at_share * some;
  if (within(step_days) >= step.units) return { ...open, hopeless, exhausted, saturated };
  // Where the next share serves no more units than a step has to see, it is a screen itself.
  const served = (later[0] ?? 0) * (unitsOf(stats) + paceOf(stats, days) * step_days);
  const screens = known && served <= step.units;
  const step_units = screens ? 0 : Math.ceil(step.units * STARVED_PART);
  const starved =
    `${here} of ${step.units} canary units at ${percent(share)}, and only ` +
    `${arrivals.at_share} new units (both arms) in a day`;
  const stuck = known && within(left_days) < step_units;
  return { hopeless, known, step_units, starved, stuck, exhausted, saturated };
}

/** Units a day, at the pace so far: too many where users return, so what it cannot reach is out. */
function paceOf(stats: CanaryStats, days: number): number {
  return Math.max(unitsOf(stats) / Math.max(1, days), stats.arrivals?.in_all ?? 0);
}

function hopelessReason(
  stats: CanaryStats,
  { units_min, days_max }: CanaryPolicy,
  last: number,
  at_ms: number,
): string | null {
  const days = (at_ms - stats.started_ms) / DAY_MS;
  const left_days = Math.max(0, days_max - days);
  const settled = stats.share >= last && at_ms - stats.share_since_ms >= DAY_MS;
  const units = unitsOf(stats);
  // A day at the last share says which of them the canary has; before, only how many it will have.
  const at_last = settled
    ? stats.canary_units + last * (stats.arrivals?.at_share ?? 0) * left_days
    : last * (units + paceOf(stats, days) * left_days);
  const reached = Math.max(stats.canary_units, Math.floor(at_last));
  if (reached >= units_min) return null;
  return (
    `${units} units in ${Number(days.toFixed(1))} days make at most ${reached} of units_min ` +
    `${units_min} canary units at ${percent(last)}: it takes ${Math.ceil(units_min / last)} ` +
    `units within ${days_max} days`
  );
}

/** Units of both arms that have shown the primary metric. */
export function countedOf({ cells, primary }: CanaryStats): number {
  return cells.reduce((sum, { metric, units }) => sum + (metric === primary ? units : 0), 0);
}

/** Units of both arms, each once. */
export function unitsOf({ cells, canary_units }: CanaryStats): number {
  const assigned = cells.filter(({ metric }) => metric === 'assigned');
  return Math.max(
    canary_units,
    assigned.reduce((sum, { units }) => sum + units, 0),
  );
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
