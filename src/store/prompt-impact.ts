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
  /** Units of which an answer was refused: the provider said so, or the rules of `signals` did. */
  readonly refusals: ShareOfUnits;
  readonly cost_usd: MeanOfUnits;
  readonly tokens_in: MeanOfUnits;
  /** Of the tokens in: what the provider read from its cache. A patch that breaks it shows here. */
  readonly cached_share: number | null;
  /** The same as a mean of the units' own shares. */
  readonly cached: MeanOfUnits;
  /**
   * USD of `cost_usd` a call that went on tokens which calls without the prompt had read from the
   * cache of the same target: negative where the version is cached better. Nobody where its targets
   * have no price, or nobody called them without the prompt.
   */
  readonly lost_cache_usd: MeanOfUnits;
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

const MEANS = [
  'rating',
  'cost_usd',
  'tokens_in',
  'cached',
  'lost_cache_usd',
  'tokens_out',
  'latency_ms',
] as const;
type Mean = (typeof MEANS)[number];

const MEAN_COLUMNS = MEANS.map(
  (mean) =>
    `count(${mean})::int as ${mean}_n, avg(${mean})::float8 as ${mean}_mean,
    stddev_samp(${mean})::float8 as ${mean}_sd`,
).join(', ');

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

/** By target: USD that a token costs more where it is not read from the provider's cache. */
export type CachePrices = Readonly<Record<string, number>>;

/**
 * Each version's calls since then, and beside them those that its agents had without this prompt.
 * No experiment: versions that served at other times served other traffic. A canary or an A/B test
 * is what proves a difference.
 */
export async function promptImpact(
  db: Db,
  name: string,
  { since_ms, prices }: { readonly since_ms: number; readonly prices: CachePrices },
): Promise<readonly PromptImpact[]> {
  const prefix = `prompt:${name}@`;
  const gaps = Object.entries(prices).map(([target, gap]) => ({ target, gap }));
  const rows = await rowsOf<Sums>(
    db,
    sql`with priced as (
      select * from jsonb_to_recordset(${JSON.stringify(gaps)}::text::jsonb)
        as p(target text, gap float8)
    ), own as (
      select c.*, (select substr(m, ${prefix.length + 1}::int)
          from jsonb_array_elements_text(c.markers) as m
          where starts_with(m, ${prefix}) limit 1)::int as prompt_version,
        outcome = 'ok' and not tokens_estimated as counted
      from (select * from calls where at_ms >= ${since_ms} and origin = 'client'
          and outcome <> 'rejected' and unit not in (${BUSY})
        order by at_ms desc limit ${CALLS_MAX}) as c
    ), used as (
      select distinct agent from own where prompt_version is not null
    ), usual as (
      select served as target, sum(tokens_cached)::float8 / nullif(sum(tokens_in), 0) as usually
      from own where prompt_version is null and counted and agent in (select agent from used)
      group by served
    ), said as (
      select call, bool_or(signal = 'rating' and value <= 2 or signal = 'helpful' and value = 0
          or signal = 'complaint' and value > 0) as bad,
        bool_or(signal in ('rating', 'helpful', 'complaint')) as rated,
        avg(value) filter (where signal = 'rating') as rating
      from feedback where counted and call in (select id from own) group by call
    ), by_unit as (
      select prompt_version as version, unit, count(*)::int as calls, bool_or(arm_error) as erring,
        bool_or(coalesce(rated, false)) as rated, bool_or(coalesce(bad, false)) as bad,
        bool_or(coalesce(finish, '') = 'content_filter' or exists (
          select 1 from jsonb_array_elements_text(markers) as m where starts_with(m, 'refusal:')
        )) as refused,
        avg(rating) as rating, avg(cost_usd) as cost_usd,
        avg(tokens_in) filter (where outcome = 'ok') as tokens_in,
        avg(tokens_out) filter (where outcome = 'ok') as tokens_out,
        sum(tokens_cached) filter (where counted)::float8
          / nullif(sum(tokens_in) filter (where counted), 0) as cached,
        avg((usually * tokens_in - tokens_cached) * gap)
          filter (where counted and prompt_version is not null) as lost_cache_usd,
        avg(latency_ms) filter (where outcome = 'ok') as latency_ms
      from own left join said on said.call = own.id
        left join usual on usual.target = own.served left join priced on priced.target = own.served
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
      (count(*) filter (where refused))::int as refused, ${sql.raw(MEAN_COLUMNS)},
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
    cached: meanOf(sums, 'cached'),
    lost_cache_usd: meanOf(sums, 'lost_cache_usd'),
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
