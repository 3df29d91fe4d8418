import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';

/** What became of a choice of the router, as learning needs it. */
export interface RoutedCall {
  readonly target: string;
  /** Who called: see `CallEvent.unit`. */
  readonly unit: string;
  /** What the call looked like, where its router asked; null elsewhere. */
  readonly features: string | null;
  /** '' where the choice did not depend on a category. */
  readonly category: string;
  /** With which it was chosen among `options` targets; null where others were to choose from. */
  readonly probability: number | null;
  /** The chosen target answered. */
  readonly ok: boolean;
  readonly latency_ms: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  /** What the call cost in all; null where no target's price says so. */
  readonly cost_usd: number | null;
  /** Mean of what users said, 0 to 1; null where nobody said anything. */
  readonly said: number | null;
}

/**
 * The newest choices of an agent's router that had a choice, oldest first: of clients' calls of the
 * main plan that ended before `before_ms`. Neither forced choices nor calls that the client left
 * say anything of a target. A rater's newest word on a call counts, by signal.
 */
export async function routedCalls(
  db: Db,
  of: {
    readonly agent: string;
    readonly before_ms: number;
    readonly limit: number;
    /** How many targets the agent has: a choice among fewer says nothing of the rest. */
    readonly options: number;
  },
): Promise<readonly RoutedCall[]> {
  const newest = await rowsOf<RoutedCall>(
    db,
    sql`
      select d.value->>'chosen' as target, c.unit, d.value->>'features' as features,
        coalesce(d.value->>'category', '') as category,
        case when jsonb_array_length(d.value->'options') = ${of.options} then (
          select p.share::float8 from jsonb_array_elements_text(d.value->'options')
              with ordinality as o(name, place)
            join jsonb_array_elements_text(d.value->'probabilities')
              with ordinality as p(share, place) using (place)
          where o.name = d.value->>'chosen' limit 1
        ) end as probability,
        (c.outcome = 'ok' and c.served = d.value->>'chosen') as ok,
        c.latency_ms::float8 as latency_ms, c.tokens_in::int as tokens_in,
        c.tokens_out::int as tokens_out, c.cost_usd::float8 as cost_usd, said.value::float8 as said
      from calls c
      cross join lateral jsonb_array_elements(c.decisions) d
      left join lateral (
        select avg(case f.signal when 'rating' then (f.value - 1) / 4
          when 'helpful' then f.value else 0 end) as value
        from feedback f
        where f.call = c.id and f.counted and f.signal in ('rating', 'helpful', 'complaint')
      ) said on true
      where c.agent = ${of.agent} and c.at_ms < ${of.before_ms} and c.origin = 'client'
        and c.outcome in ('ok', 'error') and (c.arm is null or c.arm = 'control')
        and d.value->>'name' = 'model-router' and d.value->>'forced' is null
      order by c.at_ms desc
      limit ${of.limit}`,
  );
  return newest.toReversed();
}
