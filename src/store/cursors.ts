import type { Cursor } from '../core/journal.ts';
import { inArray } from './drizzle.ts';
import type { Db } from './rows.ts';
import { cursors } from './schema/events.ts';

/** How far each segment was applied: where the tail goes on. Empty for a rebuilt store. */
export async function readCursors(db: Db): Promise<Map<string, Cursor>> {
  const rows = await db.select().from(cursors);
  return new Map(rows.map(({ segment, offset, done }) => [segment, { offset, done }]));
}

/** For segments whose files were pruned. */
export async function forgetCursors(db: Db, segments: readonly string[]): Promise<void> {
  if (segments.length === 0) return;
  await db.delete(cursors).where(inArray(cursors.segment, [...segments]));
}
