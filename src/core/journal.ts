import type { JournalRecord } from './event.ts';

/**
 * What the tail hands to the store: records read from the journal, and how far each segment has
 * then been applied. Both are committed in one transaction, so a record is applied once in effect.
 */
export interface TailBatch {
  readonly records: readonly TailRecord[];
  readonly dead: readonly DeadLine[];
  readonly cursors: readonly CursorMove[];
}

export interface TailRecord {
  /** The file's name, `<writer>-<n>.log`. */
  readonly segment: string;
  /** Of the line's first byte. */
  readonly offset: number;
  readonly record: JournalRecord;
}

/** A line that is no record, or a record that could not be applied: kept for people to look at. */
export interface DeadLine {
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
  readonly reason: string;
  /** The line's first bytes, at most `DEAD_BYTES_MAX`. */
  readonly bytes: Uint8Array;
}

export const DEAD_BYTES_MAX = 16 * 1024;

export interface CursorMove {
  readonly segment: string;
  /** The first byte that has not been applied. */
  readonly offset: number;
  /** Read to its end, and nobody writes to it any more. */
  readonly done: boolean;
}

export interface Cursor {
  readonly offset: number;
  readonly done: boolean;
}
