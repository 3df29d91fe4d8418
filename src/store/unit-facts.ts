import { type Cell, type Combination, cellKey, cellsOf, DAY_MS, floorTo, HOUR_MS } from './cells.ts';

/**
 * What happened to a unit, and how that changes the counts of distinct units: pure. A unit's day is
 * one row; of its hours follow, for each cell and metric, three counts that add up over units:
 *
 * - `hour`: the unit showed it in the hour; for series.
 * - `day`: it showed it in the day; a unit once a day.
 * - `last`: it showed it in the hour and not in the next 24. Summed over the hours of any window
 *   that ends now and has at most `WINDOW_HOURS_MAX` hours, that is the number of distinct units:
 *   each is counted at its last hour in the window, and nowhere else in it.
 *
 * So distinct units of a sliding window are read from counts, whatever the number of units.
 */
export const WINDOW_HOURS_MAX = 25;

/** `{combination: {metric: {hour of the day: events}}}` of one day. */
export type Seen = Record<string, Record<string, Record<string, number>>>;

/** Of one unit: what was seen on the days around; absent days are empty. */
export interface UnitDay {
  readonly day_ms: number;
  seen: Seen;
  /** Calls of a conversation that day; 0 of other units. */
  calls: number;
}

/** An event of a metric, or one taken back. `once`: a second in the same hour is not counted. */
export interface Fact {
  readonly at: Combination;
  readonly hour_ms: number;
  readonly metric: string;
  readonly events: number;
  readonly once: boolean;
}

/** One step of one count: distinct units (or a sum over them) of a cell, metric and span. */
export interface UnitStep {
  readonly cell: Cell;
  readonly metric: string;
  readonly kind: 'hour' | 'day' | 'last';
  readonly at_ms: number;
  readonly by: number;
}

/** A conversation with more calls in a day is no single user: it is left out of all statistics. */
export const CONVERSATION_CALLS_MAX = 200;

/**
 * Ratings are kept by value, `rating=4.5`; from them follow `raters`, and `medians`: the sum over
 * raters of each one's median, of the ratings of an hour, a day, or the day of the last hour.
 */
const RATING = 'rating=';
export const RATERS = 'raters';
export const MEDIANS = 'medians';

export function ratingMetric(value: number): string {
  return `${RATING}${Math.round(value * 10) / 10}`;
}

/** Verdicts by tenant, within a cell of all tenants. */
export function tenantMetric(metric: string, tenant: string): string {
  return `${metric}@${tenant}`;
}

function combinationKey({ target, tenant, category }: Combination): string {
  return `${target}\t${tenant}\t${category}`;
}

function combinationOf(agent: string, key: string): Combination {
  const [target = '', tenant = '', category = ''] = key.split('\t');
  return { agent, target, tenant, category };
}

/**
 * Applies the facts of one day to the unit's row of that day, and says which counts step up or
 * down. `before` and `after` are its rows of the days next to it, or null. Changes `today`; returns
 * null where nothing has changed.
 */
export function applyFacts(
  today: UnitDay,
  facts: readonly Fact[],
  calls: number,
  { before, after }: { readonly before: UnitDay | null; readonly after: UnitDay | null },
): readonly UnitStep[] | null {
  const news = facts.filter(({ at, hour_ms, metric, once }) => {
    if (!once) return true;
    const hours = today.seen[combinationKey(at)]?.[metric];
    return !((hours?.[hourOf(hour_ms)] ?? 0) > 0);
  });
  if (news.length === 0 && calls === 0) return null;
  const wasBusy = today.calls > CONVERSATION_CALLS_MAX;
  const agent = news[0]?.at.agent ?? facts[0]?.at.agent ?? '';
  const isBusy = today.calls + calls > CONVERSATION_CALLS_MAX;
  const touched = isBusy && !wasBusy ? everything(agent, today, news) : touchedBy(news);
  const days = { before, today, after };
  const old = occurrencesOf(touched, days);
  for (const fact of news) addFact(today.seen, fact);
  today.calls += calls;
  return stepsBetween(touched, old, occurrencesOf(touched, days), today.day_ms);
}

function hourOf(at_ms: number): string {
  return String(Math.floor((at_ms % DAY_MS) / HOUR_MS));
}

function addFact(seen: Seen, { at, hour_ms, metric, events, once }: Fact): void {
  const key = combinationKey(at);
  seen[key] ??= {};
  const metrics = seen[key];
  metrics[metric] ??= {};
  const hours = metrics[metric];
  const hour = hourOf(hour_ms);
  const sum = once ? 1 : (hours[hour] ?? 0) + events;
  if (sum !== 0) hours[hour] = sum;
  else delete hours[hour];
}

/** A count that may step: a metric in a cell, of one tenant alone where it is by tenant. */
interface Touched {
  readonly cell: Cell;
  /** As it is stored; '' for all ratings. */
  readonly metric: string;
  readonly tenant: string | null;
}

const BY_TENANT = new Set(['rated', 'dissatisfied']);

function touchedBy(facts: readonly Fact[]): readonly Touched[] {
  if (facts.length === 1) return touchedIn((facts[0] as Fact).at, (facts[0] as Fact).metric);
  const touched = new Map<string, Touched>();
  for (const { at, metric } of facts) {
    for (const one of touchedIn(at, metric)) {
      touched.set(`${cellKey(one.cell)}\t${one.metric}\t${one.tenant}`, one);
    }
  }
  return [...touched.values()];
}

function touchedIn(at: Combination, metric: string): readonly Touched[] {
  const stored = metric.startsWith(RATING) ? '' : metric;
  const touched: Touched[] = [];
  for (const cell of cellsOf(at)) {
    touched.push({ cell, metric: stored, tenant: null });
    if (cell.tenant === '' && BY_TENANT.has(metric)) {
      touched.push({ cell, metric, tenant: at.tenant });
    }
  }
  return touched;
}

function everything(agent: string, today: UnitDay, facts: readonly Fact[]): readonly Touched[] {
  const old = Object.entries(today.seen).flatMap(([key, metrics]) =>
    Object.keys(metrics).map((metric) => ({ at: combinationOf(agent, key), metric })),
  );
  return touchedBy([...facts, ...old.map((one) => ({ ...one, hour_ms: 0, events: 0, once: true }))]);
}

interface Days {
  readonly before: UnitDay | null;
  readonly today: UnitDay;
  readonly after: UnitDay | null;
}

/** Of one count: the hours in which it happened, ascending, and the ratings given in each. */
interface Occurrences {
  readonly hours: readonly number[];
  readonly ratings: ReadonlyMap<number, readonly number[]>;
}

function occurrencesOf(touched: readonly Touched[], days: Days): readonly Occurrences[] {
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
    if (metric !== '') {
      for (const [hour, events] of Object.entries(metrics[metric] ?? {})) {
        if (events > 0) hours.add(day_ms + Number(hour) * HOUR_MS);
      }
      continue;
    }
    for (const [name, byHour] of Object.entries(metrics)) {
      if (!name.startsWith(RATING)) continue;
      const value = Number(name.slice(RATING.length));
      for (const [hour, events] of Object.entries(byHour)) {
        const at_ms = day_ms + Number(hour) * HOUR_MS;
        if (events <= 0) continue;
        hours.add(at_ms);
        ratings.set(at_ms, [...(ratings.get(at_ms) ?? []), ...new Array(events).fill(value)]);
      }
    }
  }
}

function isIn(at: Combination, { target, tenant, category }: Cell): boolean {
  return (
    (target === '' || target === at.target) &&
    (tenant === '' || tenant === at.tenant) &&
    (category === '' || category === at.category)
  );
}

function stepsBetween(
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
