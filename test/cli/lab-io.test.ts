import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
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
});
