import type { PromptSample } from '../core/prompt/sample.ts';
import { sampleBytes } from '../core/prompt/sample.ts';
import { unitFraction } from '../core/unit.ts';
import { sql } from './drizzle.ts';
import { type Db, jsonRows, rowsOf } from './rows.ts';

export type SampleHalf = 'reflect' | 'held_out';
export type SampleLabel = 'new' | 'worst' | 'corrected' | 'random';

export interface StoredSample extends PromptSample {
  readonly half: SampleHalf;
  readonly label: SampleLabel;
  /** What users said of it in words, where `capture.feedback_text` keeps that. */
  readonly said: readonly string[];
}

/** Samples of which nothing is known yet, in all: what comes beyond them is not kept. */
const NEW_MAX = 2000;

/** The half that a unit is in: who is reflected on is never who it is checked on. */
export function halfOfUnit(unit: string): SampleHalf {
  return unitFraction('prompt-samples', unit) < 0.5 ? 'reflect' : 'held_out';
}

/** Stores samples as they came; one that is stored stays as it is. */
export async function insertSamples(db: Db, samples: readonly PromptSample[]): Promise<void> {
  if (samples.length === 0) return;
  const rows = samples.map((sample) => ({
    ...sample,
    half: halfOfUnit(sample.unit),
    label: 'new',
    bytes: sampleBytes(sample),
  }));
  await db.execute(sql`
    insert into prompt_samples
      (call, at_ms, tenant, agent, unit, "user", session, served, half, label, bytes, turns, answer)
    select call, at_ms, tenant, agent, unit, "user", session, served, half, label, bytes, turns,
      answer
    from json_populate_recordset(null::prompt_samples, ${jsonRows(rows)}::json)
    where (select count(*) from prompt_samples where label = 'new') < ${NEW_MAX}
    on conflict (call) do nothing`);
}

export interface Keeping {
  readonly now_ms: number;
  /** Feedback has had its time then. */
  readonly matured_ms: number;
  readonly days: number;
  /** Of one agent: half of it for those to reflect on, half held out. */
  readonly kept_max: number;
}

const DAY_MS = 86_400_000;

/**
 * Labels what has matured and deletes what is not needed: of those to reflect on, all but the worst
 * rated and the corrected; of those held out, all but so many, drawn by hash; and what is old.
 */
export async function tendSamples(db: Db, keeping: Keeping): Promise<void> {
  const { now_ms, matured_ms, days, kept_max } = keeping;
  await db.execute(sql`delete from prompt_samples where at_ms < ${now_ms - days * DAY_MS}`);
  await db.execute(sql`
    update prompt_samples s set label = case
      when exists (select 1 from feedback f where f.call = s.call and f.counted and (
          f.signal = 'rating' and f.value <= 2 or f.signal = 'helpful' and f.value = 0
          or f.signal = 'complaint' and f.value > 0)) then 'worst'
      when exists (select 1 from feedback f where f.call = s.call and f.counted
          and f.signal = 'correction')
        or exists (select 1 from calls c where c.parent = s.call and c.says is not null
          and ',' || c.says || ',' like '%,correction,%') then 'corrected'
      else 'random' end
    where s.label = 'new' and s.at_ms <= ${now_ms - matured_ms}`);
  await db.execute(sql`delete from prompt_samples where half = 'reflect' and label = 'random'`);
  // By hash, so that what was said first is not what stays for ever.
  await db.execute(sql`
    delete from prompt_samples where call in (
      select call from (
        select call, row_number() over (partition by agent, half order by
          case when half = 'reflect' then -at_ms end, md5(call)) as place
        from prompt_samples where label <> 'new') as ordered
      where place > ${Math.max(1, Math.floor(kept_max / 2))})`);
}

/** All of them: the policy keeps none any more. */
export async function deleteSamples(db: Db): Promise<void> {
  await db.execute(sql`delete from prompt_samples`);
}

/** Those of one person, by the hash of the user or session; how many there were. */
export async function forgetSamples(db: Db, hashes: readonly string[]): Promise<number> {
  const list = JSON.stringify(hashes);
  const gone = await rowsOf<{ call: string }>(
    db,
    sql`delete from prompt_samples
      where "user" in (select json_array_elements_text(${list}::json))
        or session in (select json_array_elements_text(${list}::json))
      returning call`,
  );
  return gone.length;
}

/** Matured samples of an agent's half, newest first. */
export function readSamples(
  db: Db,
  of: { readonly agent: string; readonly half: SampleHalf; readonly limit: number },
): Promise<readonly StoredSample[]> {
  return rowsOf<StoredSample>(
    db,
    sql`select s.call, s.at_ms::float8 as at_ms, s.tenant, s.agent, s.unit, s."user", s.session,
        s.served, s.turns, s.answer, s.half, s.label,
        coalesce((select json_agg(f.text order by f.at_ms) from feedback f
          where f.call = s.call and f.text is not null), '[]'::json) as said
      from prompt_samples s
      where s.agent = ${of.agent} and s.half = ${of.half} and s.label <> 'new'
      order by s.at_ms desc, s.call limit ${of.limit}`,
  );
}

export interface SampleCount {
  readonly agent: string;
  readonly half: SampleHalf;
  readonly label: SampleLabel;
  readonly samples: number;
  readonly units: number;
  readonly bytes: number;
}

export function countSamples(db: Db): Promise<readonly SampleCount[]> {
  return rowsOf<SampleCount>(
    db,
    sql`select agent, half, label, count(*)::int as samples, count(distinct unit)::int as units,
        sum(bytes)::float8 as bytes
      from prompt_samples group by agent, half, label order by agent, half, label`,
  );
}
