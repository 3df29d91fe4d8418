import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the command line as a user does: a process of its own, with nothing of our environment. */
export function hive(
  args: readonly string[],
  { env = {}, input = '', cwd = ROOT, entry = 'src/cli.ts', node = process.execPath } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [join(ROOT, entry), ...args], {
      cwd,
      env: { PATH: process.env.PATH, ...env },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

export function temporaryDir(): string {
  return mkdtempSync(join(tmpdir(), 'hive-cli-'));
}
