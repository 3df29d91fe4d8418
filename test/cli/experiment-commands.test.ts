import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAdmin, startAdmin } from '../admin/admin-kit.ts';
import { someExperiments } from '../admin/experiment-kit.ts';
import { hive } from './cli-kit.ts';

describe('hive experiments', () => {
  const experiments = someExperiments();
  let running: RunningAdmin;
  let env: Record<string, string>;
  beforeAll(async () => {
    running = await startAdmin({ experiments });
    env = { HIVE_ADMIN_PORT: String(running.port) };
  });
  afterAll(() => running.admin.close());

  test('lists each with its units and what it has come to', async () => {
    const { code, out } = await hive(['experiments'], { env });
    expect(code).toBe(0);
    expect(out).toMatch(/^experiment +agent +state +units +what it has come to\n/);
    expect(out).toMatch(/tone +desk +stopped +400\/400 +friendly is better: dissatisfied units −7/);
  });

  test('shows one: arms with intervals, differences, guardrails and the split', async () => {
    const { code, out } = await hive(['experiments', 'show', 'tone'], { env });
    expect(code).toBe(0);
    expect(out).toMatch(/^tone@0a1b2c3d for agent desk is stopped since .*; its calls get control/);
    expect(out).toContain('Plan of the winner: hive approve plan_1');
    expect(out).toMatch(/control +50 % +400 +dissatisfied +400 +30 % +2\d\.?\d* % to 3\d/);
    expect(out).toMatch(/friendly +50 % +400 +dissatisfied +400 +7\.5 %/);
    expect(out).toMatch(/friendly +dissatisfied units +primary +−7.* better\n/);
    expect(out).toMatch(/units with a failed call +guardrail .*holds \(20 % allowed\)/);
    expect(out).toMatch(/the mean rating +also +\+21\.4 %/);
    expect(out).toMatch(/Units in the arms: as the shares say \(p 1\)\./);
  });

  test('gives programs the whole answer, and stops one', async () => {
    const { out } = await hive(['experiments', 'show', 'tone', '--json'], { env });
    expect(JSON.parse(out)).toMatchObject({ experiment: { verdict: { arm: 'friendly' } } });
    const stop = await hive(['experiments', 'stop', 'tone', '--by', 'ann'], { env });
    expect(stop.code).toBe(0);
    expect(experiments.stopped).toEqual([{ name: 'tone', by: 'ann', note: null }]);
  });

  test('says what there is where it is misused', async () => {
    for (const words of [['show'], ['list', 'tone'], ['begin', 'tone']]) {
      const { code, err } = await hive(['experiments', ...words], { env });
      expect(code).toBe(2);
      expect(err).toContain('hive experiments list | show NAME | stop NAME');
    }
    expect((await hive(['experiments', 'show', 'tune'], { env })).err).toContain(
      'There is no experiment tune.',
    );
  });
});
