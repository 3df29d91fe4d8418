import { systemTime } from '../core/clock.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { type Cursor, DEAD_BYTES_MAX, type DeadLine, type TailBatch } from '../core/journal.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { BEGINNING, gatherBatch } from './gather.ts';
import { encodeLine } from './line.ts';
import { listSegments, type Segment, segmentBytes } from './segments.ts';

export interface TailOptions {
  readonly dir: string;
  /** How far each segment was applied, as the store has it. */
  readonly cursors: ReadonlyMap<string, Cursor>;
  /**
   * Applies a batch and its cursors in one transaction; rejects where nothing of it was committed.
   */
  readonly apply: (batch: TailBatch) => Promise<void>;
  /** Whether a writer may still write. */
  readonly live: (writer: string) => boolean;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface Tail {
  start(): void;
  /** The journal has grown: read on as soon as the last batch is a while ago. */
  hint(): void;
  /**
   * Resolves when all that stood in the journal at the call has been applied. Rejects with
   * `not_ready` where the store refuses or the tail stops meanwhile.
   */
  drain(): Promise<void>;
  /** Ends after the batch in hand. */
  stop(): Promise<void>;
  lag_bytes(): number;
  cursors(): ReadonlyMap<string, Cursor>;
}

const POLL_MS = 250;
/**
 * From a batch to the next where nobody waits: a transaction for each of fifty calls a second takes
 * a quarter of a core, five for all of them a twentieth.
 */
const REST_MS = 200;
/** Of a backlog: what a batch costs by itself is a third of all where it is of 1,000. */
const RECORDS_MAX = 4000;
const BACKOFF_MS = { first: 50, most: 5_000 };
/** Tries of a record alone, before it is set aside. */
const POISON_TRIES = 3;

/**
 * Reads the journal of all writers and hands it to the store: in a writer's order, none skipped.
 */
export function createTail(options: TailOptions): Tail {
  return new JournalTail(options);
}

interface Drain {
  readonly targets: ReadonlyMap<string, number>;
  /** The first pass that began after the call. */
  readonly pass: number;
  resolve(): void;
  reject(error: GatewayError): void;
}

class JournalTail implements Tail {
  private readonly options: TailOptions;
  private readonly known: Map<string, Cursor>;
  private running: Promise<void> | null = null;
  private stopping = false;
  private hinted = false;
  private wake: (() => void) | null = null;
  private drains: Drain[] = [];
  private passes = 0;
  /** Shrinks when a batch fails, until the record at fault stands alone. */
  private records_max = RECORDS_MAX;
  private failures = 0;
  private failuresAlone = 0;
  private lag = 0;
  private applied_ms = Number.NEGATIVE_INFINITY;

  constructor(options: TailOptions) {
    this.options = options;
    this.known = new Map(options.cursors);
  }

  start(): void {
    this.running ??= this.run();
  }

  hint(): void {
    this.hinted = true;
    this.wake?.();
  }

  async drain(): Promise<void> {
    const targets = new Map<string, number>();
    for (const { name } of await listSegments(this.options.dir)) {
      if (!this.known.get(name)?.done) targets.set(name, await this.bytesOf(name));
    }
    if (this.stopping || this.running === null) throw stopped();
    const pass = this.passes + 1;
    return new Promise((resolve, reject) => {
      this.drains.push({ targets, pass, resolve, reject });
      this.hint();
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.hint();
    await this.running;
    this.rejectDrains(stopped());
  }

  lag_bytes(): number {
    return this.lag;
  }

  cursors(): ReadonlyMap<string, Cursor> {
    return this.known;
  }

  private async run(): Promise<void> {
    await this.reopenGrown();
    while (!this.stopping) {
      this.hinted = false;
      try {
        if (await this.pass()) await this.rest();
      } catch (thrown) {
        const wait_ms = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** this.failures);
        this.failures += 1;
        this.refuse(thrown, wait_ms);
        // A hint must not turn the backing off into a hot loop.
        await this.sleep(wait_ms, () => false);
      }
    }
  }

  private async rest(): Promise<void> {
    const isAwaited = (): boolean => this.drains.length > 0;
    const rest_ms = this.applied_ms + REST_MS - systemTime.monotonic_ms();
    if (rest_ms > 0) await this.sleep(rest_ms, isAwaited);
    await this.sleep(POLL_MS - Math.max(0, rest_ms), () => this.hinted || isAwaited());
  }

  private refuse(thrown: unknown, wait_ms: number): void {
    const reason = messageOf(thrown);
    this.options.log.error('the journal could not be applied: trying again', { reason, wait_ms });
    const message = `The store does not take the journal: ${reason}`;
    this.rejectDrains(new GatewayError('not_ready', message, {}, thrown));
  }

  /** One batch; true where nothing more can be read now. */
  private async pass(): Promise<boolean> {
    this.passes += 1;
    const pass = this.passes;
    const { dir, live } = this.options;
    const batch = await gatherBatch({
      dir,
      live,
      known: this.known,
      records_max: this.records_max,
    });
    if (batch.cursors.length > 0) {
      this.applied_ms = systemTime.monotonic_ms();
      await this.apply(batch);
    }
    this.failures = 0;
    await this.measure(batch.segments);
    this.settleDrains(batch.end, pass);
    return batch.end;
  }

  private async apply(batch: TailBatch): Promise<void> {
    try {
      await this.options.apply(batch);
    } catch (thrown) {
      if (!this.isSuspect(batch)) throw thrown;
      return this.judge(batch);
    }
    this.commit(batch);
    this.records_max = Math.min(RECORDS_MAX, this.records_max * 10);
  }

  /** Whether one record alone has failed again and again. */
  private isSuspect({ records }: TailBatch): boolean {
    if (records.length > 1) {
      this.records_max = Math.max(1, Math.floor(records.length / 10));
      return false;
    }
    this.failuresAlone += 1;
    return records.length === 1 && this.failuresAlone >= POISON_TRIES;
  }

  /**
   * A record is poison if the store, having just taken a batch without it, refuses it once more.
   * The other order would condemn a good record whenever a store comes back between the two.
   */
  private async judge(batch: TailBatch): Promise<void> {
    await this.options.apply({ records: [], dead: [], cursors: [] });
    try {
      await this.options.apply(batch);
    } catch (thrown) {
      return this.setAside(batch, thrown);
    }
    this.commit(batch);
  }

  private async setAside(batch: TailBatch, thrown: unknown): Promise<void> {
    const reason = `could not be applied: ${messageOf(thrown)}`;
    const dead = batch.records.map(({ segment, offset, record }): DeadLine => {
      const line = encodeLine(record);
      const bytes = line.subarray(0, DEAD_BYTES_MAX);
      return { segment, offset, length: line.length, reason, bytes };
    });
    const without = { records: [], dead: [...batch.dead, ...dead], cursors: batch.cursors };
    await this.options.apply(without);
    this.commit(without);
  }

  private commit(batch: TailBatch): void {
    this.failuresAlone = 0;
    for (const { segment, offset, done } of batch.cursors) {
      this.known.set(segment, { offset, done });
    }
    for (const { segment, offset, length, reason } of batch.dead) {
      this.options.metrics.add('hive_events_dead_total');
      const fields = { segment, offset, length, reason };
      this.options.log.warn('a journal line was set aside', fields);
    }
  }

  private settleDrains(end: boolean, pass: number): void {
    const open = this.drains;
    this.drains = [];
    for (const drain of open) {
      const reached = [...drain.targets].every(([name, bytes]) => {
        const cursor = this.known.get(name) ?? BEGINNING;
        return cursor.done || cursor.offset >= bytes;
      });
      if (reached || (end && pass >= drain.pass)) drain.resolve();
      else this.drains.push(drain);
    }
  }

  private rejectDrains(error: GatewayError): void {
    const open = this.drains;
    this.drains = [];
    for (const drain of open) drain.reject(error);
  }

  private async measure(segments: readonly Segment[]): Promise<void> {
    let lag = 0;
    for (const { name } of segments) {
      const { offset, done } = this.known.get(name) ?? BEGINNING;
      if (!done) lag += Math.max(0, (await this.bytesOf(name)) - offset);
    }
    this.lag = lag;
    this.options.metrics.set('hive_journal_lag_bytes', lag);
  }

  /** A segment thought done that has grown since: its writer was taken for dead and was not. */
  private async reopenGrown(): Promise<void> {
    for (const [name, { offset, done }] of this.known) {
      if (!done || (await this.bytesOf(name)) <= offset) continue;
      this.known.set(name, { offset, done: false });
      this.options.log.warn('a journal segment has grown after its end: read on', { name });
    }
  }

  private bytesOf(name: string): Promise<number> {
    return segmentBytes(this.options.dir, name);
  }

  /** Until the time is over, the tail stops, or a look at what woke it says that it is enough. */
  private sleep(wait_ms: number, isEnough: () => boolean): Promise<void> {
    if (this.stopping || isEnough()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
      const timer = setTimeout(finish, wait_ms);
      this.wake = () => {
        if (this.stopping || isEnough()) finish();
      };
    });
  }
}

function stopped(): GatewayError {
  return new GatewayError('not_ready', 'The journal is not being read.');
}
