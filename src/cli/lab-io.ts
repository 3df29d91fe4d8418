import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { LabIo } from '../lab/lab-command.ts';

/** A write per line would cost more than the statistics. */
const HELD_CHARS = 64 * 1024;

/** The lab's view of this process. Answers are written before more input is waited for. */
export function createLabIo(process: NodeJS.Process): LabIo & { readonly end: () => void } {
  let held = '';
  const { stdout, stderr } = process;
  // A reader that has seen enough (`| head`) is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const flush = (): void => {
    if (held !== '') stdout.write(held);
    held = '';
  };
  // A pipe takes less than a file of a million rows answers: what it has not read waits in memory.
  const read = async (): Promise<void> => {
    flush();
    if (stdout.writableNeedDrain) await once(stdout, 'drain');
  };
  return {
    print(line) {
      held += `${line}\n`;
      if (held.length >= HELD_CHARS) flush();
    },
    warn: (line) => void stderr.write(`${line}\n`),
    open: (file) => chunksOf(file, process.stdin, read),
    ...(stderr.isTTY ? { progress: (text) => void stderr.write(`\r\u001b[K${text}`) } : {}),
    end: flush,
  };
}

async function* chunksOf(
  file: string,
  stdin: NodeJS.ReadStream,
  flush: () => Promise<void>,
): AsyncGenerator<string> {
  const input = file === '-' ? stdin : createReadStream(file, { highWaterMark: 256 * 1024 });
  input.setEncoding('utf8');
  let first = true;
  try {
    for await (const chunk of input) {
      if (first) refuseBinary(chunk as string);
      first = false;
      yield chunk as string;
      await flush();
    }
  } catch (thrown) {
    throw new GatewayError('bad_request', `${file} cannot be read: ${messageOf(thrown)}`);
  }
}

/** What gzip and zstd begin with, read as text: hundreds of bad rows would say less. */
const COMPRESSED = ['\u001f\ufffd\u0008', '(\ufffd/\ufffd'];
/** What UTF-16 begins with, or has beside its first letter. */
const OTHER_TEXT = ['\ufffd\ufffd'];

function refuseBinary(text: string): void {
  if (COMPRESSED.some((begin) => text.startsWith(begin))) {
    throw new Error('it is compressed; gunzip -c FILE | hive lab … reads it, with - for the file');
  }
  if (OTHER_TEXT.some((begin) => text.startsWith(begin)) || text.slice(0, 8).includes('\0')) {
    throw new Error('it is no UTF-8 text');
  }
}
