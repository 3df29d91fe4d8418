import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JOURNAL_RECORD_BYTES_MAX } from '../../src/core/event.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics, type Metrics } from '../../src/core/metrics.ts';
import type { Bus } from '../../src/events/bus.ts';
import { type JournalOptions, openJournal } from '../../src/events/journal.ts';
import { decodeLine } from '../../src/events/line.ts';
import { createSegmentFile, type SegmentFile } from '../../src/events/segment-file.ts';
import { callEvent, feedbackEvent } from '../kit/events.ts';
import { until } from '../kit/until.ts';

let dir: string;
let metrics: Metrics;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hive-journal-'));
  metrics = createMetrics();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function open(over: Partial<JournalOptions> = {}): Promise<Bus> {
  const defaults = { dir, writer: 'g0-a', waiting_max: 100, policy_ms: () => 7 };
  return openJournal({ ...defaults, metrics, log: silentLog, ...over });
}

/** Ids, or types where there is none, of all whole lines, by file. */
function written(): Record<string, string[]> {
  const files = readdirSync(dir).sort();
  return Object.fromEntries(
    files.map((name) => {
      const lines = readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1);
      return [name, lines.map((line) => idOf(decodeLine(Buffer.from(line)).record))];
    }),
  );
}

function idOf(record: object | null): string {
  if (record === null) return 'bad';
  return 'id' in record ? String(record.id) : String((record as { type: string }).type);
}

/** A disk that does as it is told. */
function faultyDisk() {
  const faults = { write: 0, sync: 0, open: 0 };
  const syncs: number[] = [];
  const createFile = async (...given: Parameters<typeof createSegmentFile>) => {
    if (faults.open > 0) {
      faults.open -= 1;
      throw new Error('ENOSPC: open');
    }
    const file = await createSegmentFile(...given);
    const faulty: SegmentFile = {
      name: file.name,
      opened_ms: file.opened_ms,
      get bytes() {
        return file.bytes;
      },
      get records() {
        return file.records;
      },
      async write(data, records) {
        if (faults.write > 0) {
          faults.write -= 1;
          throw new Error('ENOSPC: write');
        }
        await file.write(data, records);
      },
      async sync() {
        syncs.push(file.records);
        if (faults.sync > 0) {
          faults.sync -= 1;
          throw new Error('EIO: fdatasync');
        }
        await file.sync();
      },
      close: () => file.close(),
      abandon: () => file.abandon(),
    };
    return faulty;
  };
  return { faults, syncs, createFile };
}

describe('journal', () => {
  test('journal has what it acknowledged on the disk before it says so', async () => {
    const bus = await open();
    await bus.acknowledge([feedbackEvent('f1'), feedbackEvent('f2')]);
    expect(written()).toEqual({ 'g0-a-1.log': ['f1', 'f2'] });
    await bus.close();
  });

  test('journal writes published records soon, unasked, and calls onFlushed', async () => {
    let flushed = 0;
    const bus = await open({ onFlushed: () => (flushed += 1) });
    expect(bus.publish(callEvent('c1'))).toBe(true);
    await until(() => flushed > 0, { what: 'the write of telemetry' });
    expect(written()).toEqual({ 'g0-a-1.log': ['c1'] });
    await bus.close();
  });

  test('journal gathers telemetry that keeps coming, and closes with all of it', async () => {
    let flushed = 0;
    const bus = await open({ waiting_max: 1e6, onFlushed: () => (flushed += 1) });
    const ids: string[] = [];
    const publishOne = (): Promise<void> => {
      const id = `c${ids.length}`;
      ids.push(id);
      expect(bus.publish(callEvent(id))).toBe(true);
      return new Promise((resolve) => setImmediate(resolve));
    };
    while (flushed === 0) await publishOne();
    const begun_ms = performance.now();
    // A write takes a turn of the event loop or two.
    for (let turn = 0; turn < 300; turn += 1) await publishOne();
    const gathered = (performance.now() - begun_ms) / 50;
    const { size } = statSync(join(dir, 'g0-a-1.log'));
    expect(flushed).toBeLessThanOrEqual(1 + gathered + size / 65_536);
    await bus.close();
    expect(written()).toEqual({ 'g0-a-1.log': [...ids, 'segment.closed'] });
  });

  test('journal covers what was published before with the same sync', async () => {
    const disk = faultyDisk();
    const bus = await open({ createFile: disk.createFile });
    bus.publish(callEvent('c1'));
    await Promise.all(['f1', 'f2', 'f3'].map((id) => bus.acknowledge([feedbackEvent(id)])));
    expect(disk.syncs).toEqual([4]);
    expect(written()).toEqual({ 'g0-a-1.log': ['c1', 'f1', 'f2', 'f3'] });
    await bus.close();
  });

  test('journal ends with a closing record that counts what stands before it', async () => {
    const bus = await open();
    bus.publish(callEvent('c1'));
    await bus.close();
    expect(written()).toEqual({ 'g0-a-1.log': ['c1', 'segment.closed'] });
    expect(bus.publish(callEvent('c2'))).toBe(false);
    await expect(bus.acknowledge([feedbackEvent('f')])).rejects.toMatchObject({
      code: 'not_ready',
    });
  });

  test('journal opens another segment where one is full or old, never the same again', async () => {
    let now_ms = 0;
    const bus = await open({
      segment_bytes_max: 600,
      segment_ms_max: 1000,
      monotonic_ms: () => now_ms,
    });
    for (const id of ['f1', 'f2', 'f3', 'f4', 'f5']) await bus.acknowledge([feedbackEvent(id)]);
    now_ms = 5000;
    await bus.acknowledge([feedbackEvent('f6')]);
    await bus.close();
    const files = written();
    expect(Object.keys(files).length).toBeGreaterThanOrEqual(3);
    for (const ids of Object.values(files)) expect(ids.at(-1)).toBe('segment.closed');
    const ids = Object.values(files).flat();
    expect(ids.filter((id) => id.startsWith('f'))).toEqual(['f1', 'f2', 'f3', 'f4', 'f5', 'f6']);
  });

  test('journal refuses a record that is too long: with an error, or counted', async () => {
    const bus = await open();
    const long = 'x'.repeat(JOURNAL_RECORD_BYTES_MAX);
    await expect(bus.acknowledge([feedbackEvent('f', { text: long })])).rejects.toMatchObject({
      code: 'bad_request',
    });
    expect(bus.publish(callEvent('c', { version: long }))).toBe(false);
    expect(metrics.snapshot().hive_events_dropped_total?.[0]?.value).toBe(1);
    await bus.close();
    expect(written()).toEqual({ 'g0-a-1.log': ['segment.closed'] });
  });

  test('journal drops telemetry and refuses feedback where too many wait', async () => {
    const bus = await open({ waiting_max: 3 });
    const taken = ['c1', 'c2', 'c3', 'c4'].map((id) => bus.publish(callEvent(id)));
    expect(taken).toEqual([true, true, true, false]);
    expect(metrics.snapshot().hive_events_waiting).toMatchObject([{ value: 3 }]);
    await expect(bus.acknowledge([feedbackEvent('f')])).rejects.toMatchObject({
      code: 'overloaded',
    });
    await bus.close();
    expect(metrics.snapshot().hive_events_waiting).toMatchObject([{ value: 0 }]);
    expect(written()).toEqual({ 'g0-a-1.log': ['c1', 'c2', 'c3', 'segment.closed'] });
  });

  test('journal goes on in another file after a failed sync', async () => {
    const disk = faultyDisk();
    const bus = await open({ createFile: disk.createFile });
    await bus.acknowledge([feedbackEvent('f1')]);
    disk.faults.sync = 1;
    bus.publish(callEvent('c1'));
    const lost = bus.acknowledge([feedbackEvent('f2')]);
    await expect(lost).rejects.toMatchObject({ code: 'not_ready' });
    await until(() => bus.acknowledge([feedbackEvent('f3')]).then(() => true), {
      what: 'the journal to recover',
    });
    await bus.close();
    const files = written();
    // Telemetry is written again, since nobody knows what of the failed file is on the disk.
    expect(files['g0-a-2.log']).toEqual(['c1', 'f3', 'segment.closed']);
    expect(files['g0-a-1.log']?.[0]).toBe('f1');
  });

  test('journal recovers unaided from a full disk, and leaves no empty file behind', async () => {
    const disk = faultyDisk();
    const bus = await open({ createFile: disk.createFile });
    disk.faults.write = 2;
    disk.faults.open = 1;
    await expect(bus.acknowledge([feedbackEvent('f1')])).rejects.toMatchObject({
      code: 'not_ready',
    });
    bus.publish(callEvent('c1'));
    await until(() => bus.acknowledge([feedbackEvent('f2')]).then(() => true), {
      what: 'the journal to recover',
    });
    await bus.close();
    const files = Object.values(written());
    expect(files).toEqual([['c1', 'f2', 'segment.closed']]);
  });

  test('journal closes while its disk refuses', async () => {
    const disk = faultyDisk();
    const bus = await open({ createFile: disk.createFile });
    disk.faults.write = Number.POSITIVE_INFINITY;
    await expect(bus.acknowledge([feedbackEvent('f')])).rejects.toMatchObject({
      code: 'not_ready',
    });
    await bus.close();
    expect(written()).toEqual({});
  });
});
