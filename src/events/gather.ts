import { systemTime } from '../core/clock.ts';
import type { Cursor, CursorMove, DeadLine, TailBatch, TailRecord } from '../core/journal.ts';
import { listSegments, readSegment, type Segment } from './segments.ts';

export interface GatherOptions {
  readonly dir: string;
  readonly known: ReadonlyMap<string, Cursor>;
  readonly live: (writer: string) => boolean;
  readonly records_max: number;
}

export interface Gathered extends TailBatch {
  /** Nothing more can be read now. */
  readonly end: boolean;
  readonly segments: readonly Segment[];
}

/** Where an unknown segment is read from. */
export const BEGINNING: Cursor = { offset: 0, done: false };

/** Records may be large: a batch of a backlog is held in memory several times over. */
const BYTES_MAX = 16 * 1024 * 1024;
/** Gathering stops after so long, so that a transaction stays short on a slow disk. */
const GATHER_MS = 50;

/**
 * The next batch of all writers: within a writer in its order, the next segment only after the
 * last.
 */
export async function gatherBatch(options: GatherOptions): Promise<Gathered> {
  const { dir, known, live: isLive, records_max } = options;
  const segments = await listSegments(dir);
  const until_ms = systemTime.monotonic_ms() + GATHER_MS;
  const records: TailRecord[] = [];
  const dead: DeadLine[] = [];
  const cursors: CursorMove[] = [];
  const unfinished = new Set<string>();
  let end = true;
  let bytes = 0;
  const hasRoom = () =>
    records.length < records_max && bytes < BYTES_MAX && systemTime.monotonic_ms() < until_ms;
  for (const { name, writer, last } of segments) {
    const from = known.get(name) ?? BEGINNING;
    if (from.done || unfinished.has(writer)) continue;
    const live = last && isLive(writer);
    let at = from.offset;
    let exhausted = false;
    while (!exhausted && hasRoom()) {
      const left = records_max - records.length;
      const read = await readSegment({ dir, name, offset: at, records_max: left, live });
      records.push(...read.records);
      dead.push(...read.dead);
      bytes += read.offset - at;
      at = read.offset;
      exhausted = read.end;
    }
    const done = exhausted && !live;
    if (!done) unfinished.add(writer);
    if (!exhausted) end = false;
    if (at !== from.offset || done) cursors.push({ segment: name, offset: at, done });
  }
  return { records, dead, cursors, end, segments };
}
