import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { followPolicy } from '../../src/config/followed-policy.ts';
import { loadedOrLast, readLastLoaded, writeLastLoaded } from '../../src/config/last-loaded.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { digestOf } from '../../src/core/canonical.ts';
import { silentLog } from '../../src/core/log.ts';
import { inputOf, makeFolder, thrownBy } from './world.ts';

const broken = 'version: 2\n';

test('readLastLoaded gives back what was written, to the last origin', () => {
  const folder = makeFolder();
  const loaded = loadPolicy(inputOf(folder));
  writeLastLoaded(folder, loaded, silentLog);
  const read = readLastLoaded(folder);
  expect(digestOf(read?.policy)).toBe(digestOf(loaded.policy));
  expect(read).toEqual(loaded);
});

test('readLastLoaded knows nothing where nothing was written, or half of it', () => {
  const folder = makeFolder();
  expect(readLastLoaded(folder)).toBeNull();
  writeFileSync(join(folder, 'last-loaded.json'), '{"policy":{');
  expect(readLastLoaded(folder)).toBeNull();
});

test('writeLastLoaded tells of a file that cannot be written, and throws nothing', () => {
  const folder = makeFolder();
  mkdirSync(join(folder, 'last-loaded.json'));
  const warned: unknown[] = [];
  const log = { ...silentLog, warn: (message: string) => void warned.push(message) };
  writeLastLoaded(folder, loadPolicy(inputOf(folder)), log);
  expect(warned).toEqual(['last-loaded.json is not written']);
});

test('loadedOrLast throws what is wrong with the files where nothing was served before', () => {
  const wrong = new Error('line 3');
  const load = (): never => {
    throw wrong;
  };
  expect(() => loadedOrLast(load, () => null)).toThrow(wrong);
});

test('a process that is started while the files do not load follows what was last served', () => {
  const folder = makeFolder();
  const input = inputOf(folder);
  writeLastLoaded(folder, loadPolicy(input), silentLog);
  writeFileSync(join(input.dir, 'gateway.yaml'), broken);
  const warned: unknown[] = [];
  const log = { ...silentLog, warn: (message: string) => void warned.push(message) };
  const followed = followPolicy(input, log, () => readLastLoaded(folder));
  onTestFinished(() => followed.close());
  expect(followed.loaded().policy.targets.big?.model).toBe('big-1');
  expect(warned).toEqual(['started by the policy before']);
  expect(thrownBy(() => followPolicy(input, silentLog)).code).toBe('policy_invalid');
});
