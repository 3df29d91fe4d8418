import { type Combination, cellKey, cellsOf } from './cells.ts';
import { occurrencesOf, stepsBetween, type Touched } from './unit-counts.ts';
import {
  CONVERSATION_CALLS_MAX,
  combinationKey,
  combinationOf,
  type Fact,
  hourOf,
  RATING,
  type Seen,
  type UnitDay,
  type UnitStep,
} from './unit-day.ts';

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
  return touchedBy([
    ...facts,
    ...old.map((one) => ({ ...one, hour_ms: 0, events: 0, once: true })),
  ]);
}
