import type { Segment, Window } from '../core/oracle.ts';
import { DAY_MS, floorTo, HOUR_MS, MINUTE_MS } from './apply-calls.ts';
import { BUSY } from './canary-stats.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';

export {
  canaryCells,
  canaryFreshness,
  complaintsOf,
  slowThreshold,
  type Withheld,
  withheldOf,
} from './canary-stats.ts';

export interface ObserveOptions {
  readonly window: Window;
  /** Ids of evidence; a segment gets at most `EVIDENCE_MAX` of them. */
  readonly event_limit: number;
  /** For an agent whose policy changed within the window: what came before is of another policy. */
  readonly since_ms?: Readonly<Record<string, number>>;
}

/** A reader looks at a few; more would only fill the analysis' row. */
export const EVIDENCE_MAX = 100;

/** What is known of one segment in one window; control and unexposed traffic of clients only. */
export interface SegmentStats {
  readonly segment: Segment;
  readonly calls: number;
  readonly errors: number;
  readonly aborted: number;
  readonly retries: number;
  readonly regenerations: number;
  readonly latency_sum_ms: number;
  readonly ratings: number;
  readonly rating_sum: number;
  /** Distinct units with a call, and those among them with at least one of each. */
  readonly units: number;
  readonly units_error: number;
  readonly units_abort: number;
  /** Units that gave a verdict (rating, helpful or complaint), and those dissatisfied by it. */
  readonly units_rated: number;
  readonly units_dissatisfied: number;
  /** Ids of calls that show it, newest first, at most `event_limit`. */
  readonly evidence: readonly string[];
}

interface Counts {
  readonly agent: string;
  readonly target: string | null;
}

type MinuteSums = Counts &
  Pick<
    SegmentStats,
    | 'calls'
    | 'errors'
    | 'aborted'
    | 'retries'
    | 'regenerations'
    | 'latency_sum_ms'
    | 'ratings'
    | 'rating_sum'
  >;

type UnitSums = Counts &
  Pick<
    SegmentStats,
    'units' | 'units_error' | 'units_abort' | 'units_rated' | 'units_dissatisfied'
  >;

/**
 * What collect knows: a row for each (agent, target), and one for each agent with all its targets.
 * From rollups, so that a tick costs the same at ten and at ten million calls. Units are counted by
 * the hour: the window's first hour is whole, and with `since_ms` an hour that began before it is
 * left out.
 */
export async function observeSegments(
  db: Db,
  { window, event_limit, since_ms = {} }: ObserveOptions,
): Promise<readonly SegmentStats[]> {
  const since = JSON.stringify(since_ms);
  const minutes = await readMinutes(db, window, since);
  const units = new Map((await readUnits(db, window, since)).map((row) => [keyOf(row), row]));
  const stats: SegmentStats[] = [];
  for (const sums of minutes) {
    const { agent, target, ...counts } = sums;
    const { agent: _agent, target: _target, ...unitCounts } = units.get(keyOf(sums)) ?? NO_UNITS;
    const segment = { agent, target };
    const from_ms = Math.max(window.from_ms, since_ms[agent] ?? 0);
    const limit = Math.min(event_limit, EVIDENCE_MAX);
    const evidence = await readEvidence(db, segment, { ...window, from_ms }, limit);
    stats.push({ segment, ...counts, ...unitCounts, evidence });
  }
  return stats;
}

const NO_UNITS: UnitSums = {
  agent: '',
  target: null,
  units: 0,
  units_error: 0,
  units_abort: 0,
  units_rated: 0,
  units_dissatisfied: 0,
};

function keyOf({ agent, target }: Counts): string {
  return JSON.stringify([agent, target]);
}

/** The window's beginning for a row's agent, rounded up to whole spans where the policy changed. */
const sinceOf = (since: string, span_ms: number) =>
  sql`coalesce(
    ceil((${since}::jsonb ->> agent)::float8 / ${span_ms}::float8) * ${span_ms}::float8, 0)`;

/** Feedback on no known target is said of the agent alone, so '' is no segment of its own. */
const SEGMENTS = sql.raw('group by grouping sets ((agent, target), (agent))');
const HAS_TARGET = sql.raw(`grouping(target) = 1 or target <> ''`);

function readMinutes(db: Db, window: Window, since: string): Promise<readonly MinuteSums[]> {
  const from_ms = floorTo(window.from_ms, MINUTE_MS);
  return rowsOf(
    db,
    sql`select agent, target, sum(calls)::float8 as calls, sum(errors)::float8 as errors,
      sum(aborted)::float8 as aborted, sum(retries)::float8 as retries,
      sum(regenerations)::float8 as regenerations, sum(latency_sum_ms) as latency_sum_ms,
      sum(ratings)::float8 as ratings, sum(rating_sum) as rating_sum
    from rollup_minutes
    where minute_ms >= ${from_ms} and minute_ms < ${window.to_ms} and arm in ('none', 'control')
      and minute_ms >= ${sinceOf(since, MINUTE_MS)}
    ${SEGMENTS} having ${HAS_TARGET} order by agent, target nulls first`,
  );
}

function readUnits(db: Db, window: Window, since: string): Promise<readonly UnitSums[]> {
  const from_ms = floorTo(window.from_ms, HOUR_MS);
  const happened = (column: string) => sql.raw(`count(*) filter (where ${column} > 0)::int`);
  // Per target first, then over targets: a unit of two targets is one unit of the agent.
  return rowsOf(
    db,
    sql`select agent, target, ${happened('calls')} as units, ${happened('errors')} as units_error,
      ${happened('aborted')} as units_abort, ${happened('rated')} as units_rated,
      ${happened('dissatisfied')} as units_dissatisfied
    from (
      select agent, target, unit, sum(calls) as calls, sum(errors) as errors,
        sum(aborted) as aborted, sum(rated) as rated, sum(dissatisfied) as dissatisfied
      from unit_hours
      where hour_ms >= ${from_ms} and hour_ms < ${window.to_ms}
        and hour_ms >= ${sinceOf(since, HOUR_MS)} and unit not in (${BUSY})
      group by grouping sets ((agent, target, unit), (agent, unit))
      having ${HAS_TARGET}
    ) as of_unit
    group by agent, target`,
  );
}

/** Calls that failed or that somebody was dissatisfied with, newest first. */
async function readEvidence(
  db: Db,
  { agent, target }: Segment,
  { from_ms, to_ms }: Window,
  limit: number,
): Promise<readonly string[]> {
  if (limit <= 0) return [];
  const where = sql`c.agent = ${agent} and c.at_ms >= ${from_ms} and c.at_ms < ${to_ms}
    and c.origin = 'client' and c.outcome <> 'rejected'
    and (c.arm is null or c.arm = 'control')`;
  const rows = await rowsOf<{ id: string }>(
    db,
    sql`select id from (
      (select c.id, c.at_ms from calls c where c.arm_error and ${where}
        and (${target}::text is null or coalesce(c.intended, c.served, '') = ${target}::text)
        order by c.at_ms desc limit ${limit})
      union
      (select c.id, c.at_ms from feedback f join calls c on c.id = f.call
        where f.counted and f.at_ms >= ${from_ms} and f.at_ms < ${to_ms + DAY_MS} and ${where}
          and (${target}::text is null or coalesce(c.served, c.intended, '') = ${target}::text)
          and (f.signal = 'rating' and f.value <= 2 or f.signal = 'helpful' and f.value = 0
            or f.signal = 'complaint' and f.value > 0)
        order by c.at_ms desc limit ${limit})
    ) as shown order by at_ms desc, id desc limit ${limit}`,
  );
  return rows.map(({ id }) => id);
}
