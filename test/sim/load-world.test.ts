import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadWorld, worldNames } from '../../src/sim/load-world.ts';
import { worldPolicy } from '../../src/sim/policy-files.ts';
import { truthsOf } from '../../src/sim/truth.ts';

const dir = mkdtempSync(join(tmpdir(), 'hive-worlds-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const TEXT = `version: 1
summary: x
models:
  a: { quality: 0.9 }
agents:
  helper: { targets: { a: 1 } }
users:
  people: { agent: helper, count: 5, calls_per_day: 1 }
`;
const load = (text: string) => {
  const file = join(dir, 'own.yaml');
  writeFileSync(file, text);
  return () => loadWorld(file);
};

describe('worlds', () => {
  test.each(worldNames())('%s loads, and its policy is one that the gateway would load', (name) => {
    const { scenario } = loadWorld(name);
    const { policy } = worldPolicy(scenario);
    expect(Object.keys(policy.agents)).toEqual(Object.keys(scenario.agents));
    const silent = ['quiet', 'season', 'loud-user', 'sybils', 'tenant-flood', 'simpson'];
    expect(truthsOf(scenario).length > 0).toBe(!silent.includes(name));
  });

  test('an unknown world is answered with the nearest name', () => {
    expect(() => loadWorld('quite')).toThrow('did you mean quiet?');
  });

  test('a typo is told with line and column', () => {
    expect(load(`${TEXT}dayz: 3\n`)).toThrow(
      /own\.yaml:9:1 dayz: unknown key; did you mean days\?/,
    );
    expect(load(TEXT.replace('targets: { a: 1 }', 'targets: { b: 1 }'))).toThrow(
      /own\.yaml:6:\d+ .*there is no model b/,
    );
    expect(load(`${TEXT}happenings: [{ day: 1 }]\n`)).toThrow(/9:\d+ .*either a model or users/);
    expect(load(`${TEXT}oracle: { safety: { canary: { share: 7 } } }\n`)).toThrow(/own\.yaml:9/);
  });
});
