import { appendFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JournalRecord } from '../../src/core/event.ts';
import type { Cursor, TailBatch } from '../../src/core/journal.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { encodeLine } from '../../src/events/line.ts';
import { listSegments, pruneSegments } from '../../src/events/segments.ts';
import { createTail, type Tail, type TailOptions } from '../../src/events/tail.ts';
import { until } from '../kit/until.ts';

let dir: string;
let tails: Tail[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hive-tail-'));
  tails = [];
});
afterEach(async () => {
  await Promise.all(tails.map((tail) => tail.stop()));
  rmSync(dir, { recursive: true, force: true });
});

function line(id: string): Buffer {
  return encodeLine({ type: 'report', id } as unknown as JournalRecord);
}

function append(name: string, ...parts: readonly (string | Buffer)[]): void {
  for (const part of parts) appendFileSync(join(dir, name), part);
}

/** A store that keeps what it is given, and refuses where it is told to. */
function memoryStore(refuses: (batch: TailBatch) => boolean = () => false) {
  const ids: string[] = [];
  const dead: string[] = [];
  const cursors = new Map<string, Cursor>();
  const apply = async (batch: TailBatch): Promise<void> => {
    if (refuses(batch)) throw new Error('the store refuses');
    ids.push(...idsOf(batch));
    dead.push(...batch.dead.map(({ segment, offset, reason }) => `${segment}:${offset} ${reason}`));
    for (const { segment, offset, done } of batch.cursors) cursors.set(segment, { offset, done });
  };
  return { ids, dead, cursors, apply };
}

function idsOf(batch: TailBatch): string[] {
  return batch.records.map(({ record }) => ('id' in record ? String(record.id) : record.type));
}

function startTail(
  store: Pick<TailOptions, 'apply' | 'cursors'>,
  live: string[] = [],
  metrics = createMetrics(),
): Tail {
  const isLive = (writer: string): boolean => live.includes(writer);
  const { apply } = store;
  const cursors = new Map(store.cursors);
  const tail = createTail({ dir, cursors, apply, live: isLive, metrics, log: silentLog });
  tails.push(tail);
  tail.start();
  return tail;
}

describe('tail', () => {
  test('tail applies a writer’s segments in the order of their numbers', async () => {
    for (const n of [10, 2, 1]) append(`g0-a-${n}.log`, line(`a${n}`));
    append('g1-b-1.log', line('b1'));
    const store = memoryStore();
    await startTail(store).drain();
    expect(store.ids).toEqual(['a1', 'a2', 'a10', 'b1']);
  });

  test('tail drains what stands in the journal at the call, before the poll', async () => {
    const store = memoryStore();
    const tail = startTail(store, ['g0-a']);
    append('g0-a-1.log', line('a1'), line('a2'));
    await tail.drain();
    expect(store.ids).toEqual(['a1', 'a2']);
    append('g0-a-1.log', line('a3'), line('a4').subarray(0, 5));
    await tail.drain();
    expect(store.ids).toEqual(['a1', 'a2', 'a3']);
    append('g0-a-1.log', line('a4').subarray(5));
    await tail.drain();
    expect(store.ids).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(tail.lag_bytes()).toBe(0);
  });

  test('tail takes many small things in few batches, awaited ones at once', async () => {
    const store = memoryStore();
    let batches = 0;
    const apply = (batch: TailBatch): Promise<void> => {
      batches += 1;
      return store.apply(batch);
    };
    const tail = startTail({ apply, cursors: new Map() }, ['g0-a']);
    const began_ms = performance.now();
    for (let n = 0; n < 50; n += 1) {
      append('g0-a-1.log', line(`a${n}`));
      tail.hint();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => store.ids.length === 50, { what: 'the last record' });
    expect(batches).toBeLessThanOrEqual(2 + (performance.now() - began_ms) / 200);
    const before = batches;
    for (let n = 0; n < 20; n += 1) {
      append('g0-a-1.log', line(`b${n}`));
      await tail.drain();
    }
    expect(batches - before).toBe(20);
  });

  test('tail tells how many bytes it is behind', async () => {
    const metrics = createMetrics();
    append('g0-a-1.log', line('a1'), line('a2').subarray(0, 17));
    const tail = startTail(memoryStore(), ['g0-a'], metrics);
    await tail.drain();
    expect(tail.lag_bytes()).toBe(17);
    expect(metrics.snapshot().hive_journal_lag_bytes).toMatchObject([{ value: 17 }]);
  });

  test('tail goes on where its cursors stand, after a restart', async () => {
    append('g0-a-1.log', line('a1'));
    const store = memoryStore();
    const first = startTail(store, ['g0-a']);
    await first.drain();
    await first.stop();
    append('g0-a-1.log', line('a2'));
    await startTail(store).drain();
    expect(store.ids).toEqual(['a1', 'a2']);
    expect(store.cursors.get('g0-a-1.log')).toMatchObject({ done: true });
  });

  test('tail cuts the unfinished end of a dead writer’s file, and reports it', async () => {
    append('g0-a-1.log', line('a1'), line('a2').subarray(0, 20));
    append('g0-b-1.log', line('b1'));
    const store = memoryStore();
    await startTail(store).drain();
    expect(store.ids).toEqual(['a1', 'b1']);
    expect(store.dead).toEqual([`g0-a-1.log:${line('a1').length} ${CUT}`]);
  });

  test('tail treats a segment with a successor as ended, though its writer lives', async () => {
    append('g0-a-1.log', line('a1'), 'half a li');
    append('g0-a-2.log', line('a2'));
    const store = memoryStore();
    await startTail(store, ['g0-a']).drain();
    expect(store.ids).toEqual(['a1', 'a2']);
    expect(store.dead).toEqual([`g0-a-1.log:${line('a1').length} ${CUT}`]);
  });

  test('tail makes one dead letter of a bad line in the middle, however long', async () => {
    const garbage = 'x'.repeat(3 * 1024 * 1024);
    append('g0-a-1.log', line('a1'), garbage, '\n', line('a2'), 'short\n', line('a3'));
    const store = memoryStore();
    await startTail(store, ['g0-a']).drain();
    expect(store.ids).toEqual(['a1', 'a2', 'a3']);
    expect(store.dead).toHaveLength(2);
  });

  test('tail tries again where the store refuses, and skips nothing', async () => {
    let refusals = 3;
    const store = memoryStore(() => refusals-- > 0);
    append('g0-a-1.log', ...Array.from({ length: 30 }, (_, index) => line(`a${index}`)));
    startTail(store);
    await until(() => store.ids.length === 30, { what: 'all records' });
    expect(store.ids).toEqual(Array.from({ length: 30 }, (_, index) => `a${index}`));
    expect(store.dead).toEqual([]);
  });

  test('tail tells who drains that the store refuses', async () => {
    append('g0-a-1.log', line('a1'));
    const tail = startTail(memoryStore(() => true));
    await expect(tail.drain()).rejects.toMatchObject({ code: 'not_ready' });
  });

  test('tail sets aside a record that the store refuses alone, no other', async () => {
    const store = memoryStore((batch) => idsOf(batch).includes('a13'));
    append('g0-a-1.log', ...Array.from({ length: 20 }, (_, index) => line(`a${index}`)));
    startTail(store);
    await until(() => store.ids.length === 19, { what: 'the other records' });
    expect(store.ids).not.toContain('a13');
    expect(store.dead).toHaveLength(1);
    expect(store.dead[0]).toContain('could not be applied: the store refuses');
  });

  test('tail sets nothing aside while the store refuses everything', async () => {
    let refusals = 7;
    const store = memoryStore(() => refusals-- > 0);
    append('g0-a-1.log', line('a1'));
    startTail(store);
    await until(() => store.ids.length === 1, { what: 'the record' });
    expect(store.dead).toEqual([]);
  });

  test('tail reads on in a segment that grew after it was taken for ended', async () => {
    append('g0-a-1.log', line('a1'));
    const store = memoryStore();
    const first = startTail(store);
    await first.drain();
    await first.stop();
    append('g0-a-1.log', line('a2'));
    await startTail(store, ['g0-a']).drain();
    expect(store.ids).toEqual(['a1', 'a2']);
  });
});

const CUT = 'cut: its writer ended before the line did';

describe('listSegments', () => {
  test('tail takes no memory to look where nothing is new', async () => {
    append('g0-a-1.log', line('a1'), line('a2'));
    const tail = startTail(memoryStore(), ['g0-a']);
    await tail.drain();
    const before = process.memoryUsage().arrayBuffers;
    for (let look = 0; look < 40; look += 1) await tail.drain();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  });

  test('listSegments knows nothing where there is no folder, and ignores other files', async () => {
    expect(await listSegments(join(dir, 'none'))).toEqual([]);
    writeFileSync(join(dir, 'notes.txt'), '');
    append('g0-a-1.log', 'x');
    expect(await listSegments(dir)).toEqual([
      { name: 'g0-a-1.log', writer: 'g0-a', n: 1, last: true },
    ]);
  });
});

describe('pruneSegments', () => {
  test('pruneSegments deletes only what was applied whole and is a week old', async () => {
    const old_s = 1_000_000;
    for (const name of ['g0-a-1.log', 'g0-b-1.log', 'g0-c-1.log']) append(name, line(name));
    utimesSync(join(dir, 'g0-a-1.log'), old_s, old_s);
    utimesSync(join(dir, 'g0-b-1.log'), old_s, old_s);
    const cursors = new Map([
      ['g0-a-1.log', { offset: 1, done: true }],
      ['g0-b-1.log', { offset: 1, done: false }],
      ['g0-c-1.log', { offset: 1, done: true }],
    ]);
    expect(await pruneSegments({ dir, cursors, wall_ms: Date.now() })).toEqual(['g0-a-1.log']);
    const left = (await listSegments(dir)).map(({ name }) => name);
    expect(left).toEqual(['g0-b-1.log', 'g0-c-1.log']);
  });
});
