import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cursor, DEAD_BYTES_MAX, type DeadLine, type TailRecord } from '../core/journal.ts';
import { decodeLine, NEWLINE } from './line.ts';

/** `<writer>-<n>.log`: a writer's segments are read in the order of n; writers have no order. */
export interface Segment {
  readonly name: string;
  readonly writer: string;
  readonly n: number;
  /** Whether the writer has a later one, so that nothing more comes to this. */
  readonly last: boolean;
}

const NAME = /^(?<writer>.+)-(?<n>\d+)\.log$/;

/** All segments of a folder, by writer and n; none where there is no folder yet. */
export async function listSegments(dir: string): Promise<readonly Segment[]> {
  const names = await readdir(dir).catch(noFolder);
  const found = names.flatMap((name) => {
    const { writer, n } = NAME.exec(name)?.groups ?? {};
    return writer === undefined ? [] : [{ name, writer, n: Number(n) }];
  });
  found.sort((left, right) =>
    left.writer === right.writer ? left.n - right.n : left.writer < right.writer ? -1 : 1,
  );
  return found.map((segment, index) => ({
    ...segment,
    last: found[index + 1]?.writer !== segment.writer,
  }));
}

/** Whose a segment is. */
export function writerOf(name: string): string {
  return NAME.exec(name)?.groups?.writer ?? name;
}

function noFolder(thrown: NodeJS.ErrnoException): string[] {
  if (thrown.code === 'ENOENT') return [];
  throw thrown;
}

/** Bytes of a segment's file; 0 where it is gone. */
export async function segmentBytes(dir: string, name: string): Promise<number> {
  const found = await stat(join(dir, name)).catch(() => null);
  return found?.size ?? 0;
}

export interface ReadOptions {
  readonly dir: string;
  readonly name: string;
  readonly offset: number;
  readonly records_max: number;
  /** Whether more may still be written: then what is bad at the very end is not written yet. */
  readonly live: boolean;
}

export interface ReadResult {
  readonly records: readonly TailRecord[];
  readonly dead: readonly DeadLine[];
  /** Where to read on. */
  readonly offset: number;
  /** Nothing more can be read now. */
  readonly end: boolean;
}

/** At most; longer than any record, so a whole line fits wherever it begins. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads at most one chunk of a segment. A bad line in the middle is dead, and reading goes on at
 * the next newline. A bad or unfinished line at the end of a file that is still written is not
 * written yet; at the end of another it is dead as well: what was cut was never acknowledged.
 */
export async function readSegment(options: ReadOptions): Promise<ReadResult> {
  const nothing = { records: [], dead: [], offset: options.offset, end: true };
  const size = await segmentBytes(options.dir, options.name);
  if (size <= options.offset) return nothing;
  const handle = await open(join(options.dir, options.name), 'r').catch(() => null);
  // A file that vanished was pruned, or given up by its writer before it held a whole record.
  if (handle === null) return nothing;
  try {
    const chunk = await readChunk(handle, options.offset, size);
    const whole = chunk.length < CHUNK_BYTES;
    if (!whole && !chunk.includes(NEWLINE)) return await skipGarbage(handle, chunk, options);
    return readLines(chunk, whole, options);
  } finally {
    await handle.close();
  }
}

/** Room for no more than there is: a megabyte each time would have memory collected all day. */
async function readChunk(handle: FileHandle, from: number, size: number): Promise<Buffer> {
  const length = Math.max(0, Math.min(CHUNK_BYTES, size - from));
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** `whole`: the chunk reaches the end of the file. */
export function readLines(
  chunk: Buffer,
  whole: boolean,
  { name: segment, offset: base, records_max, live }: Omit<ReadOptions, 'dir'>,
): ReadResult {
  const records: TailRecord[] = [];
  const dead: DeadLine[] = [];
  let at = 0;
  while (at < chunk.length && records.length < records_max) {
    const newline = chunk.indexOf(NEWLINE, at);
    // The rest of the line stands in the next chunk.
    if (newline < 0 && !whole) break;
    const end = newline < 0 ? chunk.length : newline;
    const next = newline < 0 ? chunk.length : newline + 1;
    const line = chunk.subarray(at, end);
    const decoded = newline < 0 ? CUT : decodeLine(line);
    if (decoded.record !== null) {
      records.push({ segment, offset: base + at, record: decoded.record });
    } else if (live && whole && next === chunk.length) {
      break;
    } else {
      dead.push(deadLine(segment, base + at, next - at, decoded.reason, line));
    }
    at = next;
  }
  // Stopped before the end with room left: an unfinished line, or the next chunk's.
  const full = records.length >= records_max;
  return { records, dead, offset: base + at, end: whole && (at === chunk.length || !full) };
}

const CUT = { record: null, reason: 'cut: its writer ended before the line did' } as const;

/** A line longer than any record: passed over to its newline, however far that is. */
async function skipGarbage(
  handle: FileHandle,
  first: Buffer,
  { name, offset, live }: ReadOptions,
): Promise<ReadResult> {
  let at = offset + first.length;
  for (;;) {
    const { size } = await handle.stat();
    const chunk = await readChunk(handle, at, size);
    const newline = chunk.indexOf(NEWLINE);
    if (newline < 0 && chunk.length === CHUNK_BYTES) {
      at += chunk.length;
      continue;
    }
    const unfinished = newline < 0;
    if (unfinished && live) return { records: [], dead: [], offset, end: true };
    const next = at + (unfinished ? chunk.length : newline + 1);
    const line = deadLine(name, offset, next - offset, 'longer than any record', first);
    return { records: [], dead: [line], offset: next, end: false };
  }
}

function deadLine(
  segment: string,
  offset: number,
  length: number,
  reason: string,
  line: Uint8Array,
): DeadLine {
  return { segment, offset, length, reason, bytes: line.slice(0, DEAD_BYTES_MAX) };
}

export interface PruneOptions {
  readonly dir: string;
  readonly cursors: ReadonlyMap<string, Cursor>;
  readonly wall_ms: number;
  readonly keep_ms?: number;
}

/** A week: what an embedded store can be rebuilt from. */
const KEEP_MS = 7 * 86_400_000;

/**
 * Deletes segments that were applied whole and last written before the time to keep; tells which.
 */
export async function pruneSegments({
  dir,
  cursors,
  wall_ms,
  keep_ms = KEEP_MS,
}: PruneOptions): Promise<readonly string[]> {
  const pruned: string[] = [];
  for (const { name } of await listSegments(dir)) {
    if (!cursors.get(name)?.done) continue;
    const path = join(dir, name);
    const found = await stat(path).catch(() => null);
    if (found === null || found.mtimeMs > wall_ms - keep_ms) continue;
    await unlink(path);
    pruned.push(name);
  }
  return pruned;
}
