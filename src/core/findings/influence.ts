import { OTHER_TENANTS, type SegmentObservation } from '../observation.ts';
import type { Count } from '../statistics/tails.ts';
import { wilsonInterval } from '../statistics.ts';
import { addCounts, countOf, rateOf } from './scene.ts';

/** What a rate of raters rests on. */
export interface Influence {
  /** Without the raters whose word weighs most: those who were dissatisfied. */
  readonly trimmed: { readonly removed: number; readonly rate: number; readonly holds: boolean };
  /** Without the tenant that moves it most; null where all raters are of one tenant. */
  readonly without_tenant: {
    readonly tenant: string;
    readonly raters: number;
    readonly rate: number;
    readonly holds: boolean;
  } | null;
}

/** What a count is held against, and how it must stand there. */
export interface Bar {
  readonly value: number;
  /** The p value of a count there, raised for being looked at all week. */
  readonly p_week: (count: Count) => number;
  readonly q: number;
}

/**
 * Whether a share of dissatisfied raters survives the loss of its most influential ones: `share` of
 * the raters, or of all users of the cell where that is more, but never more than twice the raters'
 * own share: sybils rate more often than people do. And whether it survives the loss of any one
 * tenant: a tenant can make any number of raters. What is left must be a finding by itself.
 */
export function influenceOf(cell: SegmentObservation, bar: Bar, share: number): Influence {
  const count = countOf(cell, 'dissatisfied');
  const asked = Math.max(
    share * count.units,
    Math.min(share * cell.users, 2 * share * count.units),
  );
  const removed = Math.min(count.events, Math.ceil(asked));
  const trimmed = { units: count.units - removed, events: count.events - removed };
  return {
    trimmed: { removed, rate: rateOf(trimmed), holds: holdsAt(trimmed, bar) },
    without_tenant: withoutTenant(cell, bar),
  };
}

function withoutTenant(cell: SegmentObservation, bar: Bar): Influence['without_tenant'] {
  const whole = addCounts(cell.by_tenant);
  const named = cell.by_tenant.filter(({ units }) => units > 0);
  if (named.length < 2) return null;
  const [left] = named
    .filter(({ tenant }) => tenant !== OTHER_TENANTS)
    .map(({ tenant, units, events }) => {
      const rest = { units: whole.units - units, events: whole.events - events };
      return {
        told: { tenant, raters: units, rate: rateOf(rest), holds: holdsAt(rest, bar) },
        rest,
      };
    })
    .sort((one, other) => bar.p_week(other.rest) - bar.p_week(one.rest));
  return left ? left.told : null;
}

function holdsAt(count: Count, { value, p_week, q }: Bar): boolean {
  return wilsonInterval(count.events, count.units)[0] > value && p_week(count) <= q;
}
