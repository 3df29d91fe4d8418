import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeDataDir } from '../../src/config/data-dir.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hive-data-dir-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('makeDataDir', () => {
  test('makeDataDir makes it and what is above it, for its owner alone, once', () => {
    const path = join(dir, 'a', 'b');
    makeDataDir(path);
    makeDataDir(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  test.each(['', '/below'])('makeDataDir says what to do where it is a file%s', (below) => {
    const path = join(dir, 'file');
    writeFileSync(path, 'mine');
    expect(() => makeDataDir(`${path}${below}`)).toThrow(
      /^the data directory .*file.* cannot be used \(E[A-Z]+\): .* or name another with HIVE_DATA$/,
    );
  });

  test.skipIf(!existsSync('/proc/self'))('makeDataDir does not hang where none can be', () => {
    expect(() => makeDataDir('/proc/hive/data')).toThrow(/cannot be used \(E[A-Z]+\)/);
  });
});
