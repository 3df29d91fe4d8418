import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFileDigests } from '../../src/config/file-digests.ts';
import { sha256 } from '../../src/core/canonical.ts';
import { makeFolder } from './world.ts';

describe('createFileDigests', () => {
  test('hashes a model once for as long as it does not change', () => {
    const folder = makeFolder();
    const digests = createFileDigests();
    const path = join(folder, 'models/small.gguf');
    const first = digests.digestOf(path);
    expect(digests.digestOf(path)).toBe(first);
    writeFileSync(path, 'something longer');
    expect(digests.digestOf(path)).toBe(sha256('something longer'));
    rmSync(path);
    expect(() => digests.digestOf(path)).toThrow(/ENOENT/);
  });
});
