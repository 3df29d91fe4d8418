import { type Cell, type Combination, DAY_MS, HOUR_MS } from './cells.ts';
import {
  CONVERSATION_CALLS_MAX,
  MEDIANS,
  RATERS,
  RATING,
  type SeenHours,
  type SeenPart,
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

/** What of a count happened around a change. */
interface Change {
  readonly before: Happened;
  readonly was: Happened;
  readonly is: Happened;
  readonly after: Happened;
}

/** Tells what a change of `today` does to these counts. */
export function stepsOfChange(
  touched: readonly Touched[],
  days: Days,
  change: () => void,
  step: Step,
): void {
  const { before, today, after } = days;
  const all = touched.map((one) => happenedIn(one, today));
  change();
  const { day_ms } = today;
  for (const [at, one] of touched.entries()) {
    const was = all[at] as Happened;
    const is = happenedIn(one, today);
    const isRating = one.metric === '';
    if (was.hours === is.hours && !isRating) continue;
    const around = { before: happenedIn(one, before), after: happenedIn(one, after) };
    const changed = { ...around, was, is };
    if (isRating) stepsOfRatings(one.cell, changed, day_ms, step);
    else stepsOfHours(one, changed, day_ms, step);
  }
}

/** Only what has changed: a unit that comes again steps one hour, whatever it did before. */
function stepsOfHours(
  { cell, metric: name, tenant }: Touched,
  { before, was, is, after }: Change,
  day_ms: number,
  step: Step,
): void {
  const metric = tenant === null ? name : tenantMetric(name, tenant);
  /** Gaps now and before the change; -1 where it did not happen. */
  const moveFirst = (at_ms: number, gap: number, old: number): void => {
    if (gap === old) return;
    if (gap >= 0) step(cell, metric, 'first', at_ms, 1, gap);
    if (old >= 0) step(cell, metric, 'first', at_ms, -1, old);
  };
  if (is.hours === 0) step(cell, metric, 'day', day_ms, -1, 0);
  if (was.hours === 0) step(cell, metric, 'day', day_ms, 1, 0);
  for (let rest = is.hours | was.hours; rest !== 0; rest &= rest - 1) {
    const hour = lowest(rest);
    const at_ms = day_ms + hour * HOUR_MS;
    const shows = (is.hours >> hour) & 1;
    const showed = (was.hours >> hour) & 1;
    if (shows !== showed) step(cell, metric, 'hour', at_ms, shows - showed, 0);
    moveFirst(
      at_ms,
      shows === 1 ? gapBefore(hour, is.hours, before.hours) : -1,
      showed === 1 ? gapBefore(hour, was.hours, before.hours) : -1,
    );
  }
  if (after.hours === 0) return;
  const hour = lowest(after.hours);
  moveFirst(
    day_ms + DAY_MS + hour * HOUR_MS,
    gapBefore(hour, after.hours, is.hours),
    gapBefore(hour, after.hours, was.hours),
  );
}

/** Medians are not of hours alone, so all that was is taken out, and all that is put in. */
function stepsOfRatings(
  cell: Cell,
  { before, was, is, after }: Change,
  day_ms: number,
  step: Step,
): void {
  const nextDay = after.hours === 0 ? null : lowest(after.hours);
  for (const [day, by] of [
    [is, 1],
    [was, -1],
  ] as const) {
    const move = (
      kind: 'hour' | 'day' | 'first',
      at_ms: number,
      given: Happened,
      gap: number,
    ): void => {
      const hour = kind === 'hour' ? (at_ms - day_ms) / HOUR_MS : null;
      step(cell, RATERS, kind, at_ms, by, gap);
      step(cell, MEDIANS, kind, at_ms, by * medianOf(given, hour), gap);
    };
    if (day.hours !== 0) move('day', day_ms, day, 0);
    for (let rest = day.hours; rest !== 0; rest &= rest - 1) {
      const hour = lowest(rest);
      const at_ms = day_ms + hour * HOUR_MS;
      move('hour', at_ms, day, 0);
      move('first', at_ms, day, gapBefore(hour, day.hours, before.hours));
    }
    if (nextDay === null) continue;
    const at_ms = day_ms + DAY_MS + nextDay * HOUR_MS;
    move('first', at_ms, after, gapBefore(nextDay, after.hours, day.hours));
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

/** A day by combination; nothing where it is absent or too busy to be one user's. */
function partsOf(day: UnitDay | null): readonly SeenPart[] | null {
  if (day === null || day.calls > CONVERSATION_CALLS_MAX) return null;
  return day.seen;
}

function happenedIn({ cell, metric, tenant }: Touched, day: UnitDay | null): Happened {
  const parts = partsOf(day);
  if (parts === null) return NEVER;
  let hours = 0;
  const ratings = metric === '' ? new Map<number, number[]>() : null;
  for (const { at, metrics } of parts) {
    if (!isIn(at, cell) || (tenant !== null && at.tenant !== tenant)) continue;
    if (ratings === null) hours |= bitsOf(metrics, metric);
    else hours |= gatherRatings(metrics, ratings);
  }
  return hours === 0 && ratings === null ? NEVER : { hours, ratings };
}

function bitsOf(metrics: readonly SeenHours[], metric: string): number {
  for (const known of metrics) if (known.metric === metric) return known.bits;
  return 0;
}

function gatherRatings(metrics: readonly SeenHours[], ratings: Map<number, number[]>): number {
  let all = 0;
  for (const { metric, bits, times } of metrics) {
    if (!metric.startsWith(RATING)) continue;
    all |= bits;
    const value = Number(metric.slice(RATING.length));
    for (let place = 0; place < times.length; place += 2) {
      const [hour, events] = [times[place] as number, times[place + 1] as number];
      const given = Array.from({ length: Math.max(0, events) }, () => value);
      if (events > 0) ratings.set(hour, [...(ratings.get(hour) ?? []), ...given]);
    }
  }
  return all;
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
