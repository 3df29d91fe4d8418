import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdapterFiles } from '../../src/engine/adapter-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hive-adapters-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const failed = expect.objectContaining({ status: 500, code: 'adapter_failed' });

describe('adapter files', () => {
  test('adapter files let a file through until it was found broken', async () => {
    const files = createAdapterFiles();
    const path = join(folder, 'a.gguf');
    await writeFile(path, 'half');
    await files.check('a', path);
    expect(await files.broken('a', path, new Error('why'))).toEqual(failed);
    await expect(files.check('a', path)).rejects.toEqual(failed);
  });

  test('adapter files let a broken file through once it changed', async () => {
    const files = createAdapterFiles();
    const path = join(folder, 'b.gguf');
    await writeFile(path, 'half');
    await files.broken('b', path, new Error('why'));
    await writeFile(path, 'the whole');
    await files.check('b', path);
  });

  test('adapter files refuse a missing file, and let it through when it is there', async () => {
    const files = createAdapterFiles();
    const path = join(folder, 'c.gguf');
    await expect(files.check('c', path)).rejects.toEqual(failed);
    await files.broken('c', path, new Error('why'));
    await writeFile(path, 'whole');
    await files.check('c', path);
  });
});
