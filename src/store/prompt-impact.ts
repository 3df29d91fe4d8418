import { wilsonInterval } from '../core/statistics.ts';
import { BUSY } from './canary-stats.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';

/** A share of units, with Wilson's 95 % interval. */
export interface ShareOfUnits {
  readonly n: number;
  readonly units: number;
  readonly rate: number;
  readonly interval: readonly [number, number];
}

/** A mean over units, each counted once; no interval below `UNITS_MIN` units. */
export interface MeanOfUnits {
  readonly units: number;
  readonly mean: number | null;
  /** 95 %, by the normal approximation. */
  readonly interval: readonly [number, number] | null;
}

/** What calls with one version of a prompt came to; `version` null: calls of the same agents. */
export interface PromptImpact {
  readonly version: number | null;
  readonly calls: number;
  readonly units: number;
  readonly errors: ShareOfUnits;
  /** Of the units that gave a verdict. */
  readonly dissatisfied: ShareOfUnits;
  readonly rating: MeanOfUnits;
  readonly refusals: ShareOfUnits;
  readonly cost_usd: MeanOfUnits;
  readonly tokens_in: MeanOfUnits;
  /** Of the tokens in: what the provider read from its cache. A patch that breaks it shows here. */
  readonly cached_share: number | null;
  /** The length of answers. */
  readonly tokens_out: MeanOfUnits;
  readonly latency_ms: MeanOfUnits;
  readonly latency_p95_ms: number | null;
}

/** Newer calls only: the answer must not take longer the longer the product runs. */
const CALLS_MAX = 100_000;
/** Below it the normal approximation says more than is known. */
const UNITS_MIN = 20;
const Z_95 = 1.959963984540054;

const MEANS = ['rating', 'cost_usd', 'tokens_in', 'tokens_out', 'latency_ms'] as const;
type Mean = (typeof MEANS)[number];

type Sums = {
  readonly version: number | null;
  readonly calls: number;
  readonly units: number;
  readonly erring: number;
  readonly rated: number;
  readonly dissatisfied: number;
  readonly refused: number;
  readonly cached_share: number | null;
  readonly p95: number | null;
} & Readonly<Record<`${Mean}_n`, number>> &
  Readonly<Record<`${Mean}_mean` | `${Mean}_sd`, number | null>>;

/**
 * Each version's calls since then, and beside them those that its agents had without this prompt.
 * No experiment: versions that served at other times served other traffic. A canary or an A/B test
 * is what proves a difference.
 */
export async function promptImpact(
  db: Db,
  name: string,
  { since_ms }: { readonly since_ms: number },
): Promise<readonly PromptImpact[]> {
  const prefix = `prompt:${name}@`;
  const means = sql.raw(
    MEANS.map(
      (mean) =>
        `count(${mean})::int as ${mean}_n, avg(${mean})::float8 as ${mean}_mean,
        stddev_samp(${mean})::float8 as ${mean}_sd`,
    ).join(', '),
  );
  const rows = await rowsOf<Sums>(
    db,
    sql`with own as (
      select c.*, (select substr(m, ${prefix.length + 1}::int)
          from jsonb_array_elements_text(c.markers) as m
          where starts_with(m, ${prefix}) limit 1)::int as prompt_version
      from (select * from calls where at_ms >= ${since_ms} and origin = 'client'
          and outcome <> 'rejected' and unit not in (${BUSY})
        order by at_ms desc limit ${CALLS_MAX}) as c
    ), used as (
      select distinct agent from own where prompt_version is not null
    ), said as (
      select call, bool_or(signal = 'rating' and value <= 2 or signal = 'helpful' and value = 0
          or signal = 'complaint' and value > 0) as bad,
        bool_or(signal in ('rating', 'helpful', 'complaint')) as rated,
        avg(value) filter (where signal = 'rating') as rating
      from feedback where counted and call in (select id from own) group by call
    ), by_unit as (
      select prompt_version as version, unit, count(*)::int as calls, bool_or(arm_error) as erring,
        bool_or(coalesce(rated, false)) as rated, bool_or(coalesce(bad, false)) as bad,
        bool_or(coalesce(finish, '') = 'content_filter') as refused,
        avg(rating) as rating, avg(cost_usd) as cost_usd,
        avg(tokens_in) filter (where outcome = 'ok') as tokens_in,
        avg(tokens_out) filter (where outcome = 'ok') as tokens_out,
        avg(latency_ms) filter (where outcome = 'ok') as latency_ms
      from own left join said on said.call = own.id
      where agent in (select agent from used) group by prompt_version, unit
    ), by_version as (
      select prompt_version as version,
        percentile_cont(0.95) within group (order by latency_ms)
          filter (where outcome = 'ok') as p95,
        sum(tokens_cached)::float8 / nullif(sum(tokens_in), 0) as cached_share
      from own where agent in (select agent from used) group by prompt_version
    )
    select u.version, sum(calls)::int as calls, count(*)::int as units,
      (count(*) filter (where erring))::int as erring,
      (count(*) filter (where rated))::int as rated,
      (count(*) filter (where bad))::int as dissatisfied,
      (count(*) filter (where refused))::int as refused, ${means},
      max(v.p95)::float8 as p95, max(v.cached_share)::float8 as cached_share
    from by_unit as u join by_version as v on v.version is not distinct from u.version
    group by u.version order by u.version nulls first`,
  );
  return rows.map(impactOf);
}

function impactOf(sums: Sums): PromptImpact {
  const { version, calls, units, cached_share } = sums;
  return {
    version,
    calls,
    units,
    errors: share(sums.erring, units),
    dissatisfied: share(sums.dissatisfied, sums.rated),
    rating: meanOf(sums, 'rating'),
    refusals: share(sums.refused, units),
    cost_usd: meanOf(sums, 'cost_usd'),
    tokens_in: meanOf(sums, 'tokens_in'),
    cached_share,
    tokens_out: meanOf(sums, 'tokens_out'),
    latency_ms: meanOf(sums, 'latency_ms'),
    latency_p95_ms: sums.p95,
  };
}

function share(n: number, units: number): ShareOfUnits {
  return { n, units, rate: units > 0 ? n / units : 0, interval: wilsonInterval(n, units) };
}

function meanOf(sums: Sums, of: Mean): MeanOfUnits {
  const [units, mean, sd] = [sums[`${of}_n`], sums[`${of}_mean`], sums[`${of}_sd`]];
  if (mean === null || sd === null || units < UNITS_MIN) return { units, mean, interval: null };
  const half = (Z_95 * sd) / Math.sqrt(units);
  return { units, mean, interval: [mean - half, mean + half] };
}
