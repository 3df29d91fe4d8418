import { type Cell, type Combination, cellKey } from './cells.ts';
import { type Days, stepsOfChange, type Touched } from './unit-counts.ts';
import {
  addSeen,
  CONVERSATION_CALLS_MAX,
  type Fact,
  hourOf,
  RATING,
  type Step,
  seenOf,
  type UnitDay,
} from './unit-day.ts';

/** The cells of a combination; the same objects for the same cell, where who calls keeps them. */
export type CellsOf = (at: Combination) => readonly Cell[];

/** The counts that a metric of a combination may step. */
export type TouchedOf = (at: Combination, metric: string) => readonly Touched[];

/** Kept by combination and metric: the units of a batch are many, their combinations few. */
export function createTouched(cellsIn: CellsOf): TouchedOf {
  const known = new Map<string, readonly Touched[]>();
  return (at, metric) => {
    const key = `${cellKey(at)}\t${metric}`;
    const found = known.get(key) ?? touchedIn({ at, metric }, cellsIn);
    known.set(key, found);
    return found;
  };
}

/**
 * Applies the facts of one day to the unit's row of that day, and says which counts step up or
 * down. `before` and `after` are its rows of the days next to it, or null. Changes `today`; false
 * where nothing has changed.
 */
export function applyFacts(
  days: Days,
  facts: readonly Fact[],
  calls: number,
  touchedOf: TouchedOf,
  step: Step,
): boolean {
  const { today } = days;
  const news = facts.filter(({ at, hour_ms, metric, once }) => {
    if (!once) return true;
    const bits = seenOf(today.seen, at, metric)?.bits ?? 0;
    return ((bits >> hourOf(hour_ms)) & 1) === 0;
  });
  if (news.length === 0 && calls === 0) return false;
  const wasBusy = today.calls > CONVERSATION_CALLS_MAX;
  const isBusy = today.calls + calls > CONVERSATION_CALLS_MAX;
  const agent = facts[0]?.at.agent ?? '';
  const touched =
    isBusy && !wasBusy ? everything(agent, today, news, touchedOf) : touchedBy(news, touchedOf);
  const change = (): void => {
    for (const fact of news) addSeen(today.seen, fact);
    today.calls += calls;
  };
  stepsOfChange(touched, days, change, step);
  return true;
}

const BY_TENANT: ReadonlySet<string> = new Set(['rated', 'dissatisfied']);

function touchedBy(facts: readonly Metric[], touchedOf: TouchedOf): readonly Touched[] {
  const [first] = facts;
  if (first && facts.length === 1) return touchedOf(first.at, first.metric);
  const touched = new Map<string, Touched>();
  for (const fact of facts) {
    for (const one of touchedOf(fact.at, fact.metric)) {
      touched.set(`${cellKey(one.cell)}\t${one.metric}\t${one.tenant}`, one);
    }
  }
  return [...touched.values()];
}

type Metric = Pick<Fact, 'at' | 'metric'>;

function touchedIn({ at, metric }: Metric, cellsIn: CellsOf): readonly Touched[] {
  const stored = metric.startsWith(RATING) ? '' : metric;
  const touched: Touched[] = [];
  for (const cell of cellsIn(at)) {
    touched.push({ cell, metric: stored, tenant: null });
    if (cell.tenant === '' && BY_TENANT.has(metric)) {
      touched.push({ cell, metric, tenant: at.tenant });
    }
  }
  return touched;
}

function everything(
  agent: string,
  today: UnitDay,
  facts: readonly Metric[],
  touchedOf: TouchedOf,
): readonly Touched[] {
  const old = today.seen.flatMap(({ at, metrics }) =>
    metrics.map(({ metric }) => ({ at: { ...at, agent }, metric })),
  );
  return touchedBy([...facts, ...old], touchedOf);
}
