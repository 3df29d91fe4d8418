import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, systemTime } from '../core/clock.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { JOURNAL_RECORD_BYTES_MAX, type JournalRecord } from '../core/event.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Bus } from './bus.ts';
import { createLineWriter } from './call-lines.ts';
import { encodeLine, lineOf, PREFIX_BYTES } from './line.ts';
import { createSegmentFile, type SegmentFile } from './segment-file.ts';

export interface JournalOptions {
  /** `DATA/journal`. */
  readonly dir: string;
  /** `g<index>-<boot id>`: new at each boot, so that no file is ever opened a second time. */
  readonly writer: string;
  /** EVENT_BUS_MAX_SIZE: records that may wait for the disk. */
  readonly waiting_max: number;
  readonly segment_bytes_max?: number;
  readonly segment_ms_max?: number;
  readonly policy_ms: () => number;
  readonly monotonic_ms?: Clock['monotonic_ms'];
  readonly metrics: Metrics;
  readonly log: Log;
  /** After each write: the hint that the worker may read. */
  readonly onFlushed?: () => void;
  /** How a segment is made; tests give a disk that fails. */
  readonly createFile?: typeof createSegmentFile;
}

const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
const SEGMENT_MS_MAX = 3_600_000;
/** Telemetry gathers so long before it is written; what is acknowledged never waits for it. */
const GATHER_MS = 50;
/** Or until it is so many UTF-16 units: a write's own cost is then nothing beside its lines'. */
const GATHER_UNITS = 64 * 1024;
/** Of one write: bounds the memory of a batch. */
const WRITE_UNITS_MAX = 4 * 1024 * 1024;
const RETRY_MS = { first: 100, most: 5_000 };

interface Waiting {
  readonly line: string;
  /** Null for telemetry. */
  readonly settle: { resolve(): void; reject(error: GatewayError): void } | null;
}

/**
 * The journal: a bus of which the file is the truth. Opening it makes its first segment, so a
 * folder that cannot be written stops the start and not the first feedback.
 */
export async function openJournal(options: JournalOptions): Promise<Bus> {
  const journal = new Journal(options);
  await journal.open();
  return journal;
}

/**
 * One flush runs at a time and takes all that waits, so whoever comes during one `fdatasync` shares
 * the next: commits group by themselves, the more the slower the disk is, and an idle journal syncs
 * at once.
 */
class Journal implements Bus {
  private readonly options: JournalOptions;
  private readonly monotonic_ms: () => number;
  private readonly lineOf = createLineWriter();
  private queue: Waiting[] = [];
  /** UTF-16 units of the lines in the queue, and how many of its records somebody waits for. */
  private units = 0;
  private awaited = 0;
  /** Records taken from the queue and not yet written. */
  private taken = 0;
  private file: SegmentFile | null = null;
  private segments = 0;
  private flushing: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private failures = 0;
  private closed = false;
  private readonly stop = new AbortController();

  constructor(options: JournalOptions) {
    this.options = options;
    this.monotonic_ms = options.monotonic_ms ?? (() => systemTime.monotonic_ms());
  }

  async open(): Promise<void> {
    this.file = await this.createFile();
  }

  publish(record: JournalRecord): boolean {
    const full = this.waiting >= this.options.waiting_max;
    const line = this.closed || full ? '' : this.lineOf(record);
    if (this.closed || full || tooLong(line)) {
      this.options.metrics.add('hive_events_dropped_total');
      return false;
    }
    this.push({ line, settle: null });
    if (this.flushing === null) this.schedule();
    return true;
  }

  async acknowledge(records: readonly JournalRecord[]): Promise<void> {
    if (records.length === 0) return;
    const lines = records.map(lineOf);
    if (lines.some(tooLong)) {
      throw new GatewayError('bad_request', `A record is longer than ${RECORD_KIB} KiB.`);
    }
    if (this.waiting + lines.length > this.options.waiting_max) {
      throw new GatewayError('overloaded', 'Too many events wait for the journal.', {
        retry_after_s: 1,
      });
    }
    if (this.closed || this.file === null) throw notReady();
    // Only the last line is waited for: a flush takes lines in order, and syncs all that it took.
    return new Promise((resolve, reject) => {
      const last = lines.length - 1;
      for (const [index, line] of lines.entries()) {
        this.push({ line, settle: { resolve: index === last ? resolve : () => {}, reject } });
      }
      this.flush();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stop.abort();
    this.flush();
    while (this.flushing) await this.flushing;
    if (this.file) await this.closeFile(this.file).catch((thrown) => this.complain(thrown));
    this.file = null;
  }

  private get waiting(): number {
    return this.queue.length + this.taken;
  }

  private push(waiting: Waiting): void {
    this.queue.push(waiting);
    this.units += waiting.line.length;
    if (waiting.settle !== null) this.awaited += 1;
    this.options.metrics.set('hive_events_waiting', this.waiting);
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.flushing ??= this.drain().finally(() => {
      this.flushing = null;
      if (this.queue.length > 0 && this.file) this.schedule();
    });
  }

  /** At once where it is due, else when telemetry has gathered. */
  private schedule(): void {
    if (this.due) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  private get due(): boolean {
    return this.awaited > 0 || this.units >= GATHER_UNITS || (this.closed && this.queue.length > 0);
  }

  /** Never rejects: each record's own promise says what became of it. */
  private async drain(): Promise<void> {
    // One turn of the event loop lets the requests that came in together share the first sync.
    await new Promise(setImmediate);
    // Telemetry that comes meanwhile gathers again, else a busy gateway would write each turn.
    for (let first = true; first ? this.queue.length > 0 : this.due; first = false) {
      const batch = this.take();
      try {
        await this.commit(batch);
      } catch (thrown) {
        await this.fail(batch, thrown);
        if (!(await this.recover())) return;
      }
    }
  }

  private take(): Waiting[] {
    let units = 0;
    let count = 0;
    while (count < this.queue.length && units < WRITE_UNITS_MAX) {
      const { line, settle } = this.queue[count] as Waiting;
      units += line.length;
      if (settle !== null) this.awaited -= 1;
      count += 1;
    }
    this.units -= units;
    this.taken = count;
    return this.queue.splice(0, count);
  }

  private async commit(batch: readonly Waiting[]): Promise<void> {
    const file = await this.rotated();
    await file.write(Buffer.from(batch.map(({ line }) => line).join('')), batch.length);
    if (batch.some(({ settle }) => settle !== null)) {
      const began_ms = this.monotonic_ms();
      await file.sync();
      const took_s = (this.monotonic_ms() - began_ms) / 1000;
      this.options.metrics.observe('hive_journal_sync_seconds', took_s);
    }
    this.failures = 0;
    this.settled();
    for (const { settle } of batch) settle?.resolve();
    this.options.onFlushed?.();
  }

  /** The segment to write to, another one where the last is full or old. */
  private async rotated(): Promise<SegmentFile> {
    if (this.file === null) throw new Error('the journal has no segment');
    const { segment_bytes_max = SEGMENT_BYTES_MAX, segment_ms_max = SEGMENT_MS_MAX } = this.options;
    const age_ms = this.monotonic_ms() - this.file.opened_ms;
    const full = this.file.bytes >= segment_bytes_max || age_ms >= segment_ms_max;
    if (!full || this.file.records === 0) return this.file;
    await this.closeFile(this.file);
    this.file = await this.createFile();
    return this.file;
  }

  private async closeFile(file: SegmentFile): Promise<void> {
    const at_ms = this.options.policy_ms();
    const record = { type: 'segment.closed', v: 1, at_ms, records: file.records } as const;
    await file.write(encodeLine(record), 1);
    await file.sync();
    await file.close();
  }

  private createFile(): Promise<SegmentFile> {
    this.segments += 1;
    const name = `${this.options.writer}-${this.segments}.log`;
    const create = this.options.createFile ?? createSegmentFile;
    return create(this.options.dir, name, this.monotonic_ms());
  }

  /**
   * The disk refused. Nothing of what waits is acknowledged, and the file is given up: after a
   * failed sync nobody knows what of it is on the disk, so a second sync that succeeds would prove
   * nothing. Telemetry waits for the next segment; a record that then stands in both has one id.
   */
  private async fail(batch: readonly Waiting[], thrown: unknown): Promise<void> {
    this.complain(thrown);
    const all = [...batch, ...this.queue];
    this.queue = all.filter(({ settle }) => settle === null);
    this.units = this.queue.reduce((units, { line }) => units + line.length, 0);
    this.awaited = 0;
    this.settled();
    for (const { settle } of all) settle?.reject(notReady(thrown));
    const file = this.file;
    this.file = null;
    await file?.abandon();
  }

  /**
   * Tries to open another segment until it works, ever less often; false where the journal closes.
   */
  private async recover(): Promise<boolean> {
    while (!this.closed) {
      const wait_ms = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** this.failures);
      this.failures += 1;
      await delay(wait_ms, undefined, { signal: this.stop.signal }).catch(() => undefined);
      if (this.closed) return false;
      try {
        this.file = await this.createFile();
        this.options.log.info('the journal writes again', { segment: this.file.name });
        return true;
      } catch (thrown) {
        this.complain(thrown);
      }
    }
    return false;
  }

  private settled(): void {
    this.taken = 0;
    this.options.metrics.set('hive_events_waiting', this.waiting);
  }

  private complain(thrown: unknown): void {
    this.options.log.error('the journal cannot be written: feedback is refused until it can', {
      dir: this.options.dir,
      reason: messageOf(thrown),
    });
  }
}

const RECORD_KIB = JOURNAL_RECORD_BYTES_MAX / 1024;

function tooLong(line: string): boolean {
  const most = JOURNAL_RECORD_BYTES_MAX + PREFIX_BYTES + 1;
  // No character takes more than three bytes of UTF-8 for each of its units.
  return line.length * 3 > most && Buffer.byteLength(line) > most;
}

function notReady(cause?: unknown): GatewayError {
  const message = 'The journal cannot be written now: nothing was accepted.';
  return new GatewayError('not_ready', message, { retry_after_s: 1 }, cause);
}
