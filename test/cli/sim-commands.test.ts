import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { httpText } from '../../src/cli/sim-http.ts';
import { hive, temporaryDir } from './cli-kit.ts';

const dir = temporaryDir();
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('hive sim', () => {
  test('list names the worlds, and --help has an example that is one of them', async () => {
    const { out, code } = await hive(['sim', 'list', '--json']);
    const { worlds } = JSON.parse(out) as { worlds: { name: string; summary: string }[] };
    expect(code).toBe(0);
    expect(worlds.map(({ name }) => name)).toContain('dissatisfied-model');
    expect((await hive(['sim', '--help'])).out).toContain('hive sim dissatisfied-model --seed 7');
  });

  test('a run prints a table, or its report as JSON', async () => {
    const asked = [
      'sim',
      'low-traffic',
      '--seed',
      '2',
      '--hours',
      '12',
      '--detectors',
      'dissatisfaction',
    ];
    const text = await hive(asked);
    expect(text.out).toContain('World low-traffic, seed 2: 0.5 days');
    expect(text.out).toContain('who knows the world');
    const several = await hive([...asked, '--runs', '2', '--json']);
    expect(JSON.parse(several.out)).toMatchObject({ world: 'low-traffic', runs: 2, seeds: [2, 3] });
    const one_by_one = await hive([...asked, '--runs', '2', '--jobs', '1', '--json']);
    expect(one_by_one.out).toBe(several.out);
  }, 60_000);

  test('what does not fit is misuse, with the nearest name', async () => {
    const unknown = await hive(['sim', 'outrage']);
    expect(unknown.code).toBe(1);
    expect(unknown.err).toContain('did you mean outage?');
    const runs = await hive(['sim', 'quiet', '--runs', '0']);
    expect([runs.code, runs.err]).toEqual([2, expect.stringContaining('--runs is a whole number')]);
    const jobs = await hive(['sim', 'quiet', '--jobs', '0']);
    expect([jobs.code, jobs.err]).toEqual([2, expect.stringContaining('--jobs is a whole number')]);
    const far = await hive(['sim', 'quiet', '--url', 'http://example.com']);
    expect([far.code, far.err]).toEqual([2, expect.stringContaining('on this machine')]);
  }, 60_000);

  test('--write-policies writes files that hive check accepts', async () => {
    const policies = join(dir, 'policies');
    await hive(['sim', 'dissatisfied-model', '--write-policies', policies]);
    expect(existsSync(join(policies, 'prompts/tone.yaml'))).toBe(true);
    expect(readFileSync(join(policies, 'gateway.yaml'), 'utf8')).toContain(
      '127.0.0.1:8099/stern/v1',
    );
    const checked = await hive(['check', '--policies', policies]);
    expect([checked.code, checked.err]).toEqual([0, '']);
  }, 60_000);
});

test('a report over HTTP says in one line what came of it', () => {
  const counts = { visits: 10, calls: 12, feedback: 3, satisfied: 5, errors: 1, unreachable: 0 };
  const report = {
    world: 'w',
    seed: 1,
    driver: 'http' as const,
    hours: 2,
    failure: null,
    ...counts,
  };
  expect(httpText({ ...report, findings: [], truths: [], changes: [] })).toBe(
    'World w, seed 1, over HTTP: 2 hours, 10 visits, 12 calls, 3 ratings; 50.0 % satisfied, ' +
      '1 errors, 0 unreachable.',
  );
});
