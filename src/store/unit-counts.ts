import { type Cell, type Combination, DAY_MS, floorTo, HOUR_MS } from './cells.ts';
import {
  CONVERSATION_CALLS_MAX,
  combinationOf,
  hourOf,
  MEDIANS,
  RATERS,
  RATING,
  type Seen,
  tenantMetric,
  type UnitDay,
  type UnitStep,
  WINDOW_HOURS_MAX,
} from './unit-day.ts';

/** A count that may step: a metric in a cell, of one tenant alone where it is by tenant. */
export interface Touched {
  readonly cell: Cell;
  /** As it is stored; '' for all ratings. */
  readonly metric: string;
  readonly tenant: string | null;
}

interface Days {
  readonly before: UnitDay | null;
  readonly today: UnitDay;
  readonly after: UnitDay | null;
}

/** Of one count: the hours in which it happened, ascending, and the ratings given in each. */
export interface Occurrences {
  readonly hours: readonly number[];
  readonly ratings: ReadonlyMap<number, readonly number[]>;
}

export function occurrencesOf(touched: readonly Touched[], days: Days): readonly Occurrences[] {
  return touched.map((one) => {
    const ratings = new Map<number, number[]>();
    const hours = new Set<number>();
    for (const day of [days.before, days.today, days.after]) {
      if (day !== null && day.calls <= CONVERSATION_CALLS_MAX) gather(one, day, hours, ratings);
    }
    return { hours: [...hours].sort((a, b) => a - b), ratings };
  });
}

function gather(
  { cell, metric, tenant }: Touched,
  { day_ms, seen }: UnitDay,
  hours: Set<number>,
  ratings: Map<number, number[]>,
): void {
  for (const [key, metrics] of Object.entries(seen)) {
    const at = combinationOf(cell.agent, key);
    if (!isIn(at, cell) || (tenant !== null && at.tenant !== tenant)) continue;
    if (metric === '') gatherRatings(metrics, day_ms, hours, ratings);
    else for (const at_ms of hoursOf(metrics[metric], day_ms)) hours.add(at_ms);
  }
}

function gatherRatings(
  metrics: Seen[string],
  day_ms: number,
  hours: Set<number>,
  ratings: Map<number, number[]>,
): void {
  for (const [name, byHour] of Object.entries(metrics)) {
    if (!name.startsWith(RATING)) continue;
    const value = Number(name.slice(RATING.length));
    for (const at_ms of hoursOf(byHour, day_ms)) {
      hours.add(at_ms);
      const times = new Array<number>(byHour[hourOf(at_ms)] ?? 0).fill(value);
      ratings.set(at_ms, [...(ratings.get(at_ms) ?? []), ...times]);
    }
  }
}

function hoursOf(byHour: Readonly<Record<string, number>> | undefined, day_ms: number): number[] {
  return Object.entries(byHour ?? {})
    .filter(([, events]) => events > 0)
    .map(([hour]) => day_ms + Number(hour) * HOUR_MS);
}

function isIn(at: Combination, { target, tenant, category }: Cell): boolean {
  return (
    (target === '' || target === at.target) &&
    (tenant === '' || tenant === at.tenant) &&
    (category === '' || category === at.category)
  );
}

export function stepsBetween(
  touched: readonly Touched[],
  old: readonly Occurrences[],
  now: readonly Occurrences[],
  day_ms: number,
): readonly UnitStep[] {
  const steps: UnitStep[] = [];
  for (const [at, one] of touched.entries()) {
    const sums = new Map<string, UnitStep>();
    const add = (given: readonly Omit<UnitStep, 'cell'>[], sign: 1 | -1): void => {
      for (const step of given) {
        const key = `${step.metric}\t${step.kind}\t${step.at_ms}`;
        const by = (sums.get(key)?.by ?? 0) + sign * step.by;
        sums.set(key, { ...step, cell: one.cell, by });
      }
    };
    add(countsOf(one, now[at] as Occurrences, day_ms), 1);
    add(countsOf(one, old[at] as Occurrences, day_ms), -1);
    for (const step of sums.values()) if (Math.abs(step.by) > 1e-9) steps.push(step);
  }
  return steps;
}

/** Every count that the occurrences make, of the day and of the day before it. */
function countsOf(
  { metric, tenant }: Touched,
  { hours, ratings }: Occurrences,
  day_ms: number,
): readonly Omit<UnitStep, 'cell'>[] {
  const counts: Omit<UnitStep, 'cell'>[] = [];
  const put = (kind: UnitStep['kind'], at_ms: number): void => {
    if (metric !== '') {
      const name = tenant === null ? metric : tenantMetric(metric, tenant);
      counts.push({ metric: name, kind, at_ms, by: 1 });
      return;
    }
    const from_ms = kind === 'hour' ? at_ms : floorTo(at_ms, DAY_MS);
    const until_ms = kind === 'day' ? at_ms + DAY_MS : at_ms + HOUR_MS;
    counts.push({ metric: RATERS, kind, at_ms, by: 1 });
    counts.push({ metric: MEDIANS, kind, at_ms, by: medianBetween(ratings, from_ms, until_ms) });
  };
  const today = hours.filter((hour) => hour >= day_ms && hour < day_ms + DAY_MS);
  if (today.length > 0) put('day', day_ms);
  for (const hour of today) put('hour', hour);
  for (const [at, hour] of hours.entries()) {
    if (hour >= day_ms + DAY_MS) break;
    const next = hours[at + 1] ?? Number.POSITIVE_INFINITY;
    if (next - hour < WINDOW_HOURS_MAX * HOUR_MS) continue;
    put('last', hour);
  }
  return counts;
}

function medianBetween(
  ratings: ReadonlyMap<number, readonly number[]>,
  from_ms: number,
  until_ms: number,
): number {
  const given = [...ratings]
    .filter(([at_ms]) => at_ms >= from_ms && at_ms < until_ms)
    .flatMap(([, values]) => values)
    .sort((a, b) => a - b);
  const middle = (given.length - 1) / 2;
  return ((given[Math.floor(middle)] as number) + (given[Math.ceil(middle)] as number)) / 2;
}
