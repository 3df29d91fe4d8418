import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSecretFile } from '../../src/config/secret-file.ts';

function freshDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hive-secret-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

describe('openSecretFile', () => {
  test('a secret is made once, for its owner only, and is the same ever after', () => {
    const dir = freshDir();
    const first = openSecretFile(dir);
    expect(first.length).toBe(32);
    expect(Buffer.from(openSecretFile(dir)).equals(Buffer.from(first))).toBe(true);
    expect(statSync(join(dir, 'secret')).mode & 0o077).toBe(0);
    expect(readFileSync(join(dir, 'secret'), 'utf8').trim()).toHaveLength(64);
    expect(Buffer.from(openSecretFile(freshDir())).equals(Buffer.from(first))).toBe(false);
  });

  test('a damaged secret stops the start and names the file', () => {
    const dir = freshDir();
    writeFileSync(join(dir, 'secret'), 'half of i');
    expect(() => openSecretFile(dir)).toThrow(`${join(dir, 'secret')} does not hold 64 hex digits`);
  });
});
