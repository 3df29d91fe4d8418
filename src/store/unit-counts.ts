import { type Cell, type Combination, DAY_MS, HOUR_MS } from './cells.ts';
import {
  CONVERSATION_CALLS_MAX,
  combinationOf,
  MEDIANS,
  RATERS,
  RATING,
  type Step,
  tenantMetric,
  type UnitDay,
  WINDOW_HOURS_MAX,
} from './unit-day.ts';

/** A count that may step: a metric in a cell, of one tenant alone where it is by tenant. */
export interface Touched {
  readonly cell: Cell;
  /** As it is stored; '' for all ratings. */
  readonly metric: string;
  readonly tenant: string | null;
}

export interface Days {
  readonly before: UnitDay | null;
  readonly today: UnitDay;
  readonly after: UnitDay | null;
}

/** Of one count and day: the hours in which it happened as bits, and the ratings given in each. */
interface Happened {
  readonly hours: number;
  readonly ratings: ReadonlyMap<number, readonly number[]> | null;
}

const NEVER: Happened = { hours: 0, ratings: null };

/** Tells what a change of `today` does to these counts. */
export function stepsOfChange(
  touched: readonly Touched[],
  days: Days,
  change: () => void,
  step: Step,
): void {
  const old = touched.map((one) => happenedOn(one, days.today));
  change();
  for (const [at, one] of touched.entries()) {
    const was = old[at] as Happened;
    const is = happenedOn(one, days.today);
    if (was.hours === is.hours && one.metric !== '') continue;
    const before = happenedOn(one, days.before);
    const after = happenedOn(one, days.after);
    const { day_ms } = days.today;
    const { cell } = one;
    const move = (
      kind: 'hour' | 'day' | 'first',
      at_ms: number,
      day: Happened,
      by: 1 | -1,
      gap = 0,
    ): void => {
      if (one.metric !== '') {
        const { metric, tenant } = one;
        step(cell, tenant === null ? metric : tenantMetric(metric, tenant), kind, at_ms, by, gap);
        return;
      }
      const hour = kind === 'hour' ? (at_ms - day_ms) / HOUR_MS : null;
      step(cell, RATERS, kind, at_ms, by, gap);
      step(cell, MEDIANS, kind, at_ms, by * medianOf(day, hour), gap);
    };
    const nextDay = after.hours === 0 ? null : lowest(after.hours);
    for (const [day, by] of [
      [is, 1],
      [was, -1],
    ] as const) {
      if (day.hours !== 0) move('day', day_ms, day, by);
      for (const hour of hoursIn(day.hours)) {
        const at_ms = day_ms + hour * HOUR_MS;
        move('hour', at_ms, day, by);
        move('first', at_ms, day, by, gapBefore(hour, day.hours, before.hours));
      }
      if (nextDay === null) continue;
      const at_ms = day_ms + DAY_MS + nextDay * HOUR_MS;
      move('first', at_ms, after, by, gapBefore(nextDay, after.hours, day.hours));
    }
  }
}

/** How many hours before this one it happened the last time; 0 where that is more than 24. */
function gapBefore(hour: number, today: number, before: number): number {
  const earlier = today & ((1 << hour) - 1);
  if (earlier !== 0) return hour - highest(earlier);
  if (before === 0) return 0;
  const gap = 24 + hour - highest(before);
  return gap < WINDOW_HOURS_MAX ? gap : 0;
}

function highest(bits: number): number {
  return 31 - Math.clz32(bits);
}

function lowest(bits: number): number {
  return highest(bits & -bits);
}

function* hoursIn(hours: number): Generator<number> {
  for (let rest = hours; rest !== 0; rest &= rest - 1) yield lowest(rest);
}

function happenedOn({ cell, metric, tenant }: Touched, day: UnitDay | null): Happened {
  if (day === null || day.calls > CONVERSATION_CALLS_MAX) return NEVER;
  let hours = 0;
  const ratings = metric === '' ? new Map<number, number[]>() : null;
  for (const key in day.seen) {
    const metrics = day.seen[key] ?? {};
    const at = combinationOf(cell.agent, key);
    if (!isIn(at, cell) || (tenant !== null && at.tenant !== tenant)) continue;
    if (ratings === null) hours |= bitsOf(metrics[metric]);
    else hours |= gatherRatings(metrics, ratings);
  }
  return { hours, ratings };
}

function bitsOf(byHour: Readonly<Record<string, number>> | undefined): number {
  let bits = 0;
  for (const hour in byHour) if ((byHour[hour] as number) > 0) bits |= 1 << Number(hour);
  return bits;
}

function gatherRatings(
  metrics: Readonly<Record<string, Readonly<Record<string, number>>>>,
  ratings: Map<number, number[]>,
): number {
  let bits = 0;
  for (const [name, byHour] of Object.entries(metrics)) {
    if (!name.startsWith(RATING)) continue;
    bits |= bitsOf(byHour);
    for (const [hour, times] of Object.entries(byHour)) {
      const value = Number(name.slice(RATING.length));
      const given = Array.from({ length: Math.max(0, times) }, () => value);
      if (times > 0) ratings.set(Number(hour), [...(ratings.get(Number(hour)) ?? []), ...given]);
    }
  }
  return bits;
}

function isIn(at: Combination, { target, tenant, category }: Cell): boolean {
  return (
    (target === '' || target === at.target) &&
    (tenant === '' || tenant === at.tenant) &&
    (category === '' || category === at.category)
  );
}

/** Of an hour's ratings, or of all of the day. */
function medianOf({ ratings }: Happened, hour: number | null): number {
  const given = hour === null ? [...(ratings ?? [])].flatMap(([, all]) => all) : ratings?.get(hour);
  const sorted = [...(given ?? [])].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}
