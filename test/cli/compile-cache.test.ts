import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { ROOT } from './cli-kit.ts';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A tree with the file alone in it. */
function layTree(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hive-compile-'));
  dirs.push(dir);
  mkdirSync(join(dir, 'bin'));
  copyFileSync(join(ROOT, 'bin/compile-cache.mjs'), join(dir, 'bin/compile-cache.mjs'));
  return dir;
}

/** What a process says of itself after it has asked for the cache. */
function ask(dir: string, more: Readonly<Record<string, string>> = {}): unknown {
  const file = pathToFileURL(join(dir, 'bin/compile-cache.mjs')).href;
  const code = `import module from 'node:module';
    import { cacheCompiled } from '${file}';
    cacheCompiled(process.env);
    const told = process.env.NODE_COMPILE_CACHE ?? null;
    console.log(JSON.stringify({ on: module.getCompileCacheDir() !== undefined, told }));`;
  const env = { PATH: process.env.PATH, ...more };
  const args = ['--input-type=module', '-e', code];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

/** A module that says at the end how many parts of the type stripper were loaded. */
const SAY_STRIPPERS = `data:text/javascript,${encodeURIComponent(
  `process.once('exit', () => console.log(
    process.moduleLoadList.filter((name) => name.includes('amaro')).length))`,
)}`;

describe('compile-cache', () => {
  test('compile-cache is beside the code, and children are told', () => {
    const dir = layTree();
    const told = join(dir, 'node_modules/.cache/liquid-hive');
    expect(ask(dir)).toEqual({ on: true, told });
  });

  test('compile-cache keeps out where the user has decided', () => {
    const dir = layTree();
    expect(ask(dir, { NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual({ on: false, told: null });
    const own = join(dir, 'own');
    expect(ask(dir, { NODE_COMPILE_CACHE: own })).toEqual({ on: true, told: own });
  });

  test('compile-cache is no condition of a start: its folder may be impossible', () => {
    const dir = layTree();
    writeFileSync(join(dir, 'node_modules'), 'a file');
    expect(ask(dir)).toEqual({ on: false, told: null });
  });

  test('compile-cache is filled by the installation: the lab’s first start strips no types', () => {
    const dir = layTree();
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: join(dir, 'filled') };
    const warm = spawnSync(process.execPath, ['bin/warm-cache.mjs'], { cwd: ROOT, env });
    expect([warm.status, String(warm.stdout), String(warm.stderr)]).toEqual([0, '', '']);
    const units = join(dir, 'units.jsonl');
    writeFileSync(units, '{"time":"2026-01-01T00:00:00Z","arm":"a","unit":"u","ok":1}\n');
    const args = ['--import', SAY_STRIPPERS, 'bin/hive.mjs', 'lab', 'canary', '--units', units];
    const first = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8' });
    expect(first.stdout.trim().split('\n').at(-1)).toBe('0');
  }, 30_000);

  test('a second start of the command does not even load what strips types', () => {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME };
    const run = (): string => {
      const args = ['--import', SAY_STRIPPERS, 'bin/hive.mjs', 'version', '--json'];
      return spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8' }).stdout;
    };
    run();
    expect(run().trim().split('\n').at(-1)).toBe('0');
  });
});
