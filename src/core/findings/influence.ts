import { OTHER_TENANTS, type SegmentObservation } from '../observation.ts';
import type { Count } from '../statistics/tails.ts';
import { wilsonInterval } from '../statistics.ts';
import { countOf } from './scene.ts';

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

/**
 * Whether a share of dissatisfied raters survives the loss of its most influential ones: `share` of
 * the raters, or of all users of the cell where that is more, but never more than twice the raters'
 * own share: sybils rate more often than people do. And whether it survives the loss of any one
 * tenant, at the same interval: a tenant can make any number of raters.
 */
export function influenceOf(cell: SegmentObservation, bar: number, share: number): Influence {
  const count = countOf(cell, 'dissatisfied');
  const asked = Math.max(
    share * count.units,
    Math.min(share * cell.users, 2 * share * count.units),
  );
  const removed = Math.min(count.events, Math.ceil(asked));
  const trimmed = { units: count.units - removed, events: count.events - removed };
  return {
    trimmed: { removed, rate: rateAt(trimmed), holds: clears(trimmed, bar) },
    without_tenant: withoutTenant(cell, bar),
  };
}

function withoutTenant(cell: SegmentObservation, bar: number): Influence['without_tenant'] {
  const whole = addUp(cell.by_tenant);
  const named = cell.by_tenant.filter(({ units }) => units > 0);
  if (named.length < 2) return null;
  const left = named
    .filter(({ tenant }) => tenant !== OTHER_TENANTS)
    .map(({ tenant, units, events }) => {
      const rest = { units: whole.units - units, events: whole.events - events };
      return { tenant, raters: units, rate: rateAt(rest), holds: clears(rest, bar), rest };
    })
    .sort((one, other) => lower(one.rest) - lower(other.rest))[0];
  if (!left) return null;
  const { rest: _rest, ...told } = left;
  return told;
}

const addUp = (counts: readonly Count[]): Count => ({
  units: counts.reduce((sum, { units }) => sum + units, 0),
  events: counts.reduce((sum, { events }) => sum + events, 0),
});
const rateAt = ({ units, events }: Count): number => (units > 0 ? events / units : 0);
const lower = ({ units, events }: Count): number => wilsonInterval(events, units)[0];
const clears = (count: Count, bar: number): boolean => lower(count) > bar;
