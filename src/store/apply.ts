import type {
  CallEvent,
  FeedbackEvent,
  FollowUpEvent,
  JournalRecord,
  LedgerEvent,
  ReportEvent,
  UsageEvent,
} from '../core/event.ts';
import type { TailBatch } from '../core/journal.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { applyCalls } from './apply-calls.ts';
import { applyFeedback } from './apply-feedback.ts';
import { applyFollowUps } from './apply-follow-ups.ts';
import { applyUsage } from './apply-usage.ts';
import { createDeltas } from './deltas.ts';
import { sql } from './drizzle.ts';
import { upsertLedger } from './ledger.ts';
import type { Store } from './open.ts';
import { writeRouteNews } from './route-news.ts';
import { type Db, jsonRows } from './rows.ts';
import { createUnitDays, type UnitDays } from './unit-days.ts';
import { lockRollups } from './write-rollups.ts';
import { halfOf } from './write-units.ts';

export interface ApplyDeps {
  readonly metrics: Metrics;
  readonly log: Log;
  /** Kept from batch to batch by who applies them all. */
  readonly days?: UnitDays;
}

/**
 * Applies a batch of the journal in one transaction, cursors included: after a crash it is read
 * again, and what was committed changes nothing. Rejects where nothing was committed.
 */
export async function applyBatch(store: Store, batch: TailBatch, deps: ApplyDeps): Promise<void> {
  const { days = createUnitDays(halfOf) } = deps;
  const records = batch.records.map(({ record }) => record);
  const apply = async (tx: Db) => {
    const last = await lockRollups(tx);
    days.startAt(last);
    const deltas = createDeltas(days);
    // The ledger first: an experiment's row says which of its calls are slow.
    for (const event of of<LedgerEvent>(records, 'ledger')) {
      await upsertLedger(tx, event.changes, event.epoch);
    }
    const calls = await applyCalls(tx, of<CallEvent>(records, 'call'), deltas);
    const feedback = of<FeedbackEvent>(records, 'feedback');
    const said = await applyFeedback(tx, feedback, calls, deltas);
    await writeRouteNews(tx, calls, said);
    await applyFollowUps(tx, of<FollowUpEvent>(records, 'follow_up'), deltas);
    await applyUsage(tx, of<UsageEvent>(records, 'usage'), deltas);
    const part = await deltas.write(tx);
    await insertReports(tx, of<ReportEvent>(records, 'report'));
    await insertWithheld(tx, records);
    await insertDead(tx, batch);
    await moveCursors(tx, batch);
    const matched = said
      .filter(({ before, after }) => before === null && !after.duplicate)
      .map(({ after }) => after.matched);
    return { matched, part: part ?? last };
  };
  const { matched, part } = await store.transaction(apply).catch((thrown: unknown) => {
    days.forget();
    throw thrown;
  });
  days.endAt(part);
  for (const { type } of records) deps.metrics.add('hive_events_applied_total', [type]);
  for (const how of matched) deps.metrics.add('hive_feedback_matched_total', [how]);
  for (const event of of<CallEvent>(records, 'call')) countPlugins(event, deps.metrics);
}

/** Counted here and not by the gateway: a call has no time to spare for it. */
function countPlugins(event: CallEvent, metrics: Metrics): void {
  for (const { name, chosen } of event.decisions) {
    if (name === 'model-router') metrics.add('hive_routes_total', [event.agent, chosen]);
  }
  if (event.adapter !== null) metrics.add('hive_adapters_applied_total', [event.adapter]);
  for (const marker of event.markers) {
    const at = marker.indexOf(':');
    const rest = marker.slice(at + 1);
    if (marker.startsWith('prompt:')) metrics.add('hive_prompts_applied_total', [rest]);
    if (marker.startsWith('prompt-patcher:')) metrics.add('hive_prompts_skipped_total', [rest]);
    if (marker.startsWith('lora-hotplug:')) metrics.add('hive_adapters_skipped_total', [rest]);
  }
}

function of<Event extends JournalRecord>(
  records: readonly JournalRecord[],
  type: Event['type'],
): readonly Event[] {
  return records.filter((record): record is Event => record.type === type);
}

async function insertReports(tx: Db, events: readonly ReportEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.execute(sql`
    insert into reports
    select * from json_populate_recordset(null::reports, ${jsonRows(events)}::json)
    on conflict (id) do nothing`);
}

async function insertWithheld(tx: Db, records: readonly JournalRecord[]): Promise<void> {
  const events = records.filter(({ type }) => type === 'canary.withheld');
  if (events.length === 0) return;
  await tx.execute(sql`
    insert into withheld
    select * from json_populate_recordset(null::withheld, ${jsonRows(events)}::json)
    on conflict do nothing`);
}

async function insertDead(tx: Db, { dead }: TailBatch): Promise<void> {
  if (dead.length === 0) return;
  const rows = dead.map((line) => ({
    ...line,
    id: `${line.segment}:${line.offset}`,
    bytes: Buffer.from(line.bytes).toString('base64'),
  }));
  await tx.execute(sql`
    insert into dead_letters
    select * from json_populate_recordset(null::dead_letters, ${jsonRows(rows)}::json)
    on conflict (id) do nothing`);
}

async function moveCursors(tx: Db, { cursors }: TailBatch): Promise<void> {
  if (cursors.length === 0) return;
  await tx.execute(sql`
    insert into cursors
    select * from json_populate_recordset(null::cursors, ${jsonRows(cursors)}::json)
    on conflict (segment) do update set "offset" = excluded."offset", done = excluded.done
    where cursors."offset" <= excluded."offset"`);
}
