import { OTHER_TENANTS, type SegmentObservation } from '../observation.ts';
import { median } from '../series/numbers.ts';
import type { Count } from '../statistics/tails.ts';
import { wilsonInterval } from '../statistics.ts';
import { addCounts, countOf, rateOf, type Scene, seriesOf } from './scene.ts';
import { DAY_MS, hourOf, stepsBefore, stepsOf } from './seasons.ts';

/** What a rate of raters rests on. */
export interface Influence {
  /** Without the raters whose word weighs most: those who were dissatisfied. */
  readonly trimmed: {
    readonly removed: number;
    readonly rate: number;
    readonly holds: boolean;
    /** Those among them that are more than usually rate: nobody knows them. */
    readonly strangers: number;
  };
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

/** People rate at some of their calls, those who collude at all: twice as often. */
const EAGERNESS = 2;

/**
 * Whether a share of dissatisfied raters is one whoever the worst of them are. `share` of the users
 * may collude; they rate more often than people do, so twice that share of the raters are taken
 * away, all of them dissatisfied ones: no choice of so many could move the share further (its
 * breakdown point, F. Hampel 1971). So is everybody beyond the usual number of raters, of whom
 * nothing is known. And it must stand without any one tenant: a tenant can make any number of
 * raters. What is left must be a finding by itself.
 */
export function influenceOf(
  cell: SegmentObservation,
  bar: Bar,
  share: number,
  strangers = 0,
): Influence {
  const count = countOf(cell, 'dissatisfied');
  const asked = Math.max(EAGERNESS * share * count.units, strangers);
  const removed = Math.min(count.events, Math.ceil(asked));
  const trimmed = { units: count.units - removed, events: count.events - removed };
  return {
    trimmed: { removed, rate: rateOf(trimmed), holds: holdsAt(trimmed, bar), strangers },
    without_tenant: withoutTenant(cell, bar),
  };
}

/**
 * A yardstick's count as it would be without `share` of its raters, all of them content: those who
 * collude may have praised before, to make a fall of it.
 */
export function withoutPraise({ units, events }: Count, share: number): Count {
  return { units: units - Math.min(units - events, Math.ceil(share * units)), events };
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

/** How many times the usual number of raters there may be before the rest are strangers. */
const GROWTH_MAX = 1.5;
const DAYS_MIN = 3;
const SPREAD = 3;

/**
 * Raters beyond those that usually rate at the hours of the window: half as many again as the
 * median of the days before, and three standard deviations of its chance. 0 where fewer than three
 * days are known. Hours count raters that came in them, so the excess is taken as a share.
 */
export function strangersOf(scene: Scene, cell: SegmentObservation): number {
  const series = seriesOf(scene, cell.segment, 'dissatisfied');
  if (!series) return 0;
  const { window } = scene.observation;
  const now = stepsOf(series, window);
  const hours = new Set(now.map(({ at_ms }) => hourOf(at_ms, series.step_ms)));
  const held = ({ index }: { readonly index: number }): number => series.counts[index] ?? 0;
  const days = new Map<number, number>();
  for (const step of stepsBefore(series, window)) {
    if (held(step) === 0 || !hours.has(hourOf(step.at_ms, series.step_ms))) continue;
    const day = Math.floor((window.from_ms - 1 - step.at_ms) / DAY_MS);
    days.set(day, (days.get(day) ?? 0) + held(step));
  }
  const came = now.reduce((sum, step) => sum + held(step), 0);
  if (days.size < DAYS_MIN || came === 0) return 0;
  const usual = median([...days.values()]);
  const most = GROWTH_MAX * usual + SPREAD * Math.sqrt(usual);
  return Math.max(0, 1 - most / came) * countOf(cell, 'dissatisfied').units;
}
