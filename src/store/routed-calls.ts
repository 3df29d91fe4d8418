import { anyOf } from './columns-given.ts';
import { sql } from './drizzle.ts';
import { type Db, rowsOf } from './rows.ts';

/** What became of a choice of the router, as learning needs it. */
export interface RoutedCall {
  readonly id: string;
  readonly at_ms: number;
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

export interface RoutedQuery {
  readonly agent: string;
  readonly before_ms: number;
  /** The newest are read. */
  readonly limit: number;
  /** How many targets the agent has: a choice among fewer says nothing of the rest. */
  readonly options: number;
}

export interface RoutedReader {
  /**
   * The newest choices of an agent's router that had a choice, oldest first: of clients' calls of
   * the main plan that began before `before_ms`. Neither forced choices nor calls that the client
   * left say anything of a target. A rater's newest word on a call counts, by signal.
   */
  read(of: RoutedQuery): Promise<readonly RoutedCall[]>;
}

interface Kept extends RoutedQuery {
  /** The newest batch whose news are in `calls`. */
  readonly batch: number;
  readonly calls: readonly RoutedCall[];
}

/**
 * What a look costs follows what is new: calls that were read are kept, and `route_news` tells
 * since when others have come, and of which something was said. What comes late is read again
 * from its time on.
 */
export function createRoutedReader(db: Db): RoutedReader {
  const kept = new Map<string, Kept>();
  return {
    async read(of) {
      const before = kept.get(of.agent);
      const news = await readNews(db, before?.batch ?? Number.MAX_SAFE_INTEGER);
      const from_ms = before ? readFrom(before, of, news) : 0;
      const old = (before?.calls ?? []).filter(({ at_ms }) => at_ms < from_ms);
      const fresh = await readCalls(db, of, from_ms);
      const calls = [...(await saidAnew(db, old, news.said)), ...fresh].slice(-of.limit);
      kept.set(of.agent, { ...of, batch: news.batch, calls });
      return calls;
    },
  };
}

/** From when on calls are to be read: from 0 all of them. */
function readFrom(before: Kept, now: RoutedQuery, { oldest, batch, from_ms }: News): number {
  const isCut = oldest !== null && oldest > before.batch + 1;
  const isBack = now.before_ms < before.before_ms || now.limit > before.limit;
  const isOther = now.options !== before.options;
  // A store that was emptied counts anew.
  if (isCut || isBack || isOther || batch < before.batch) return 0;
  return Math.min(before.before_ms, from_ms ?? Number.POSITIVE_INFINITY);
}

interface News {
  /** The oldest that are kept, and the newest; null and 0 where there are none. */
  readonly oldest: number | null;
  readonly batch: number;
  /** When the first of the new calls began; null where there are none. */
  readonly from_ms: number | null;
  /** Calls of which something was said, or taken back. */
  readonly said: readonly string[];
}

async function readNews(db: Db, since: number): Promise<News> {
  const [row] = await rowsOf<News>(
    db,
    sql`select (select min(batch) from route_news)::float8 as oldest,
      (select coalesce(max(batch), 0) from route_news)::float8 as batch,
      min(n.from_ms)::float8 as from_ms,
      array(select distinct unnest(s.said) from route_news s where s.batch > ${since}) as said
    from route_news n where n.batch > ${since}`,
  );
  return row ?? { oldest: null, batch: 0, from_ms: null, said: [] };
}

/** Written as the index `calls_routed` has it, or it is not used. */
const IS_ROUTED = sql.raw(`c.decisions @> '[{"name": "model-router"}]'`);

/** What users said of a call. */
const SAID = sql.raw(`avg(case f.signal when 'rating' then (f.value - 1) / 4
  when 'helpful' then f.value else 0 end)::float8`);
const SAYS = sql.raw(`f.counted and f.signal in ('rating', 'helpful', 'complaint')`);

/** Those that began at `from_ms` or later. Picked before anything else is asked of them. */
async function readCalls(
  db: Db,
  { agent, before_ms, limit, options }: RoutedQuery,
  from_ms: number,
): Promise<readonly RoutedCall[]> {
  const newest = await rowsOf<RoutedCall>(
    db,
    sql`
      select c.id, c.at_ms::float8 as at_ms, c.chosen as target, c.unit, c.features,
        coalesce(c.category, '') as category, c.probability,
        (c.outcome = 'ok' and c.served = c.chosen) as ok,
        c.latency_ms::float8 as latency_ms, c.tokens_in::int as tokens_in,
        c.tokens_out::int as tokens_out, c.cost_usd::float8 as cost_usd,
        (select ${SAID} from feedback f where f.call = c.id and ${SAYS}) as said
      from (
        select c.id, c.at_ms, c.unit, c.outcome, c.served, c.latency_ms, c.tokens_in, c.tokens_out,
          c.cost_usd, d.value->>'chosen' as chosen, d.value->>'features' as features,
          d.value->>'category' as category,
          case when jsonb_array_length(d.value->'options') = ${options} then (
            select p.share::float8 from jsonb_array_elements_text(d.value->'options')
                with ordinality as o(name, place)
              join jsonb_array_elements_text(d.value->'probabilities')
                with ordinality as p(share, place) using (place)
            where o.name = d.value->>'chosen' limit 1
          ) end as probability
        from calls c cross join lateral jsonb_array_elements(c.decisions) d
        where c.agent = ${agent} and c.at_ms >= ${from_ms} and c.at_ms < ${before_ms}
          and ${IS_ROUTED} and c.origin = 'client' and c.outcome in ('ok', 'error')
          and (c.arm is null or c.arm = 'control')
          and d.value->>'name' = 'model-router' and d.value->>'forced' is null
        order by c.at_ms desc, c.id desc
        limit ${limit}
      ) c order by c.at_ms desc, c.id desc`,
  );
  return newest.toReversed();
}

/** The same calls with what is said of these now. */
async function saidAnew(
  db: Db,
  calls: readonly RoutedCall[],
  changed: readonly string[],
): Promise<readonly RoutedCall[]> {
  if (calls.length === 0 || changed.length === 0) return calls;
  const known = new Set(calls.map(({ id }) => id));
  const asked = changed.filter((id) => known.has(id));
  if (asked.length === 0) return calls;
  const rows = await rowsOf<{ call: string; said: number }>(
    db,
    sql`select f.call, ${SAID} as said from feedback f
      where f.call = ${anyOf(asked)} and ${SAYS} group by f.call`,
  );
  const said = new Map<string, number | null>(asked.map((id) => [id, null]));
  for (const row of rows) said.set(row.call, row.said);
  return calls.map((call) => {
    const now = said.get(call.id);
    return now === undefined ? call : { ...call, said: now };
  });
}
