import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { createLabIo } from '../../src/cli/lab-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'hive-lab-io-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process whose output is a pipe that holds little and is read a kilobyte at a time. */
function slowlyRead() {
  const stdout = new PassThrough({ highWaterMark: 1024 });
  let read = 0;
  const step = (): void => {
    const chunk = stdout.read(Math.min(1024, stdout.readableLength || 1)) as Buffer | null;
    read += chunk?.length ?? 0;
    if (!stdout.readableEnded) setImmediate(step);
  };
  setImmediate(step);
  const stderr = new PassThrough();
  const process = { stdout, stderr, stdin: new PassThrough() } as unknown as NodeJS.Process;
  return { process, stdout, read: () => read };
}

describe('the lab’s view of a process', () => {
  test('reads no further than its answers are read, and loses none of them', async () => {
    const file = join(folder, 'rows.txt');
    const size = 2 * 1024 * 1024;
    writeFileSync(file, 'x'.repeat(size));
    const { process, stdout, read } = slowlyRead();
    const io = createLabIo(process);
    let waiting_max = 0;
    let printed = 0;
    for await (const chunk of io.open(file)) {
      waiting_max = Math.max(waiting_max, stdout.writableLength + stdout.readableLength);
      io.print(chunk);
      printed += chunk.length + 1;
    }
    io.end();
    stdout.end();
    await expect.poll(read).toBe(printed);
    expect(waiting_max).toBeLessThan(size / 4);
  });

  test.each([
    ['gzip', gzipSync('timestamp,value\n1,2\n'), 'it is compressed'],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2]), 'it is compressed'],
    ['UTF-16', Buffer.from('\ufefftimestamp,value\n', 'utf16le'), 'it is no UTF-8 text'],
  ])('says of a file of %s what it is, in place of bad rows', async (name, bytes, said) => {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    const { process } = slowlyRead();
    const reading = createLabIo(process).open(file)[Symbol.asyncIterator]().next();
    await expect(reading).rejects.toThrow(said);
  });
});
