import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAdmin, startAdmin } from '../admin/admin-kit.ts';
import { hive } from './cli-kit.ts';

const REPORT = {
  agent: 'support',
  strategy: 'bandit',
  reward: 'feedback - 0.1 × seconds',
  rewards: 321,
  categories: [
    {
      category: '',
      targets: [
        { target: 'mini', mean: 0.81234, low: 0.7, high: 0.9, n: 200.4, share: 0.97 },
        { target: 'big', mean: 0.5, low: 0.1, high: 0.95, n: 3, share: 0.03 },
      ],
    },
  ],
} as const;

describe('hive router show', () => {
  let running: RunningAdmin;
  let env: Record<string, string>;
  beforeAll(async () => {
    running = await startAdmin({ routers: () => [REPORT] });
    env = { HIVE_ADMIN_PORT: String(running.port) };
  });
  afterAll(() => running.admin.close());

  test('router show says what each router believes, and how surely', async () => {
    const shown = await hive(['router', 'show'], { env });
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain(
      'support: reward is feedback - 0.1 × seconds; learned of 321 calls.',
    );
    expect(shown.out).toMatch(/\(all\) +mini +0\.812 +0\.700 to 0\.900 +200 +97 %/);
  });

  test('router show gives JSON, one agent’s alone, and says where there is none', async () => {
    const json = await hive(['router', 'show', 'support', '--json'], { env });
    expect(JSON.parse(json.out)).toEqual({ routers: [REPORT] });
    expect((await hive(['router', 'show', 'nobody'], { env })).out).toContain('No agent’s router');
    expect((await hive(['router', 'hide'], { env })).code).toBe(2);
  });
});
