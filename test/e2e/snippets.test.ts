import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isFree } from '../kit/ports.ts';
import { type Product, REPO, startProduct } from '../kit/product.ts';

/**
 * The users' own snippets, to the letter: Python, httpx with its default time-out of 5 s, and the
 * default ports, because that is what they name.
 */
const run = promisify(execFile);

const dir = mkdtempSync(join(tmpdir(), 'hive-python-'));
const python = join(dir, 'venv', 'bin', 'python');
const missing = await whatIsMissing();
let product: Product;

/** Why these tests cannot run here, or null. */
async function whatIsMissing(): Promise<string | null> {
  if (!(await isFree(8091)) || !(await isFree(8092))) return 'ports 8091 and 8092 must be free';
  try {
    await run('python3', ['-m', 'venv', join(dir, 'venv')]);
    await run(python, ['-m', 'pip', 'install', '--quiet', 'httpx==0.28.1', 'openai==2.8.1']);
    return null;
  } catch {
    return 'python3 with venv and pip is needed: apt-get install python3-venv';
  }
}

async function runPython(name: string): Promise<string> {
  const file = join(REPO, 'test/fixtures/python', name);
  const { stdout } = await run(python, [file], { timeout: 60_000 });
  return stdout.trim();
}

describe.skipIf(missing !== null)(`in Python (${missing ?? 'present'})`, () => {
  beforeAll(async () => {
    product = await startProduct({ ports: [8091, 8092] });
  }, 60_000);

  test('the users’ own snippets run unchanged', async () => {
    expect(await runPython('snippets.py')).toBe('the snippets ran');
  }, 60_000);

  test('the seed’s curl without a body ticks', async () => {
    const { stdout } = await run('curl', [
      '-s',
      '-X',
      'POST',
      'http://localhost:8092/api/v1/oracle/tick',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ cycle: { state: expect.any(String) } });
  });

  test('the unmodified openai client of Python gets whole and streamed answers', async () => {
    expect(await runPython('openai_client.py')).toBe('the client ran');
  }, 60_000);
});

afterAll(async () => {
  await product?.stop();
  rmSync(dir, { recursive: true, force: true });
});
