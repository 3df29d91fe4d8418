import type { JournalRecord } from '../core/event.ts';

/**
 * Where events go. Telemetry is published and may be lost in a power cut; what is acknowledged to a
 * person (feedback, the worker's decisions) is durable before the promise resolves.
 */
export interface Bus {
  /**
   * Never blocks, never throws. False where the bus is full and the record was dropped and counted.
   */
  publish(record: JournalRecord): boolean;
  /**
   * Resolves after `fdatasync` covers the records. Rejects with `overloaded` where the bus is full,
   * and with `not_ready` where the disk refuses: then nothing was acknowledged.
   */
  acknowledge(records: readonly JournalRecord[]): Promise<void>;
  /** Writes what waits, a closing record, and syncs. */
  close(): Promise<void>;
}
