import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';

const run = promisify(execFile);
let dir: string | null = null;
afterEach(() => {
  if (dir) rmSync(dir, { recursive: true });
});

/** Opening a pipe that nobody writes to holds a thread, as a name server without an answer does. */
const PROGRAM = `
  const [, widen, pipe] = process.argv;
  if (widen !== '') (await import(widen)).widenThreadPool(process.env);
  const { open, stat } = await import('node:fs');
  for (let held = 0; held < 6; held += 1) open(pipe, 'r', () => {});
  // Threads that are held would hold an orderly end as well.
  const say = (word) => process.stdout.write(word, () => process.kill(process.pid, 'SIGKILL'));
  stat('/', () => say('free'));
  setTimeout(() => say('stuck'), 400);
`;

test.skipIf(process.platform === 'win32')(
  'widenThreadPool leaves threads where several are held, unless the user said how many',
  async () => {
    dir = mkdtempSync(join(tmpdir(), 'hive-threads-'));
    const pipe = join(dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const file = resolve('bin/thread-pool.mjs');
    const { UV_THREADPOOL_SIZE: _, ...env } = process.env;
    const start = async (widen: string, more: Record<string, string> = {}) => {
      const args = ['--input-type=module', '-e', PROGRAM, widen, pipe];
      const ended = run(process.execPath, args, { env: { ...env, ...more }, timeout: 10_000 });
      return ended.catch(({ stdout }: { stdout: string }) => stdout);
    };
    const outcomes = [start(''), start(file), start(file, { UV_THREADPOOL_SIZE: '4' })];
    expect(await Promise.all(outcomes)).toEqual(['stuck', 'free', 'stuck']);
  },
);
