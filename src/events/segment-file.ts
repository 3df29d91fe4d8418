import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A segment being written: one writer, append only, never opened again once closed or failed. */
export interface SegmentFile {
  readonly name: string;
  readonly opened_ms: number;
  /** Bytes and records that were written whole. */
  readonly bytes: number;
  readonly records: number;
  write(data: Buffer, records: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
  /** After an error: gives the file up. One that holds nothing whole is removed. */
  abandon(): Promise<void>;
}

export async function createSegmentFile(
  dir: string,
  name: string,
  opened_ms: number,
): Promise<SegmentFile> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, name);
  const handle = await open(path, 'ax');
  await syncDir(dir);
  let bytes = 0;
  let records = 0;
  return {
    name,
    opened_ms,
    get bytes() {
      return bytes;
    },
    get records() {
      return records;
    },
    async write(data, added) {
      await writeWhole(handle, data);
      bytes += data.length;
      records += added;
    },
    sync: () => handle.datasync(),
    close: () => handle.close(),
    async abandon() {
      await handle.close().catch(() => undefined);
      if (bytes === 0) await unlink(path).catch(() => undefined);
    },
  };
}

/** A write may end early, at a full disk for one; the rest is tried again, and then it says why. */
async function writeWhole(handle: FileHandle, data: Buffer): Promise<void> {
  let from = 0;
  while (from < data.length) {
    const { bytesWritten } = await handle.write(data, from);
    from += bytesWritten;
  }
}

/** A new file's name is durable only once its folder is. */
async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
