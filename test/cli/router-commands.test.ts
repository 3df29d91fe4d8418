import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAdmin, startAdmin } from '../admin/admin-kit.ts';
import { hive } from './cli-kit.ts';

const REPORT = {
  agent: 'support',
  strategy: 'bandit',
  reward: 'feedback - 0.1 × seconds',
  rewards: 321,
  left_out: 4,
  proven: [
    {
      category: '',
      target: 'mini',
      exploited: true,
      alpha: 0.05,
      units: 200,
      mean: 0.81,
      next: { target: 'big', units: 121, mean: 0.5, interval: [0.1, 0.52], e: 41.2 },
    },
  ],
  worth: {
    units: 900,
    over: [
      { target: 'mini', difference: 0.05, interval: [0.01, 0.09], e: 61.5 },
      { target: 'big', difference: 0.2, interval: null, e: 1 },
    ],
    verdict: 'context',
    target: null,
  },
  changed: [{ category: 'code', target: 'big' }],
  strongest: { big: [{ feature: 'code', effect: 0.12, low: 0.05, high: 0.19 }] },
  published: { targets: ['big', 'mini'], by: { '': [0.03, 0.97] } },
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
    expect((await hive(['router'], { env })).out).toBe(shown.out);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain(
      'support, bandit: reward is feedback - 0.1 × seconds; learned of 321 calls (4 more',
    );
    expect(shown.out).toContain(
      'Proven best: mini, it has all but the floors; 0.100 to 0.520 more a call than big, ' +
        'the next (e-value 41.2).',
    );
    expect(shown.out).toContain(
      'Context pays: it earns more than always one target would. Of 900 units',
    );
    expect(shown.out).toContain('than always mini: +0.050 a call (+0.010 to +0.090; e-value 61.5)');
    expect(shown.out).toContain('than always big: too little to say');
    expect(shown.out).toContain('big has changed in code: what was before hardly counts.');
    expect(shown.out).toContain('big, one deviation more of: code +0.120 (0.050 to 0.190)');
    expect(shown.out).toMatch(/\(all\) +mini +0\.812 +0\.700 to 0\.900 +200 +97 %/);
  });

  test('router show gives JSON, one agent’s alone, and says where there is none', async () => {
    const json = await hive(['router', 'show', 'support', '--json'], { env });
    expect(JSON.parse(json.out)).toEqual({ routers: [REPORT] });
    expect((await hive(['router', 'show', 'nobody'], { env })).out).toContain('No agent’s router');
    const whole = await hive(['router', 'export', 'support'], { env });
    expect(JSON.parse(whole.out)).toEqual({ routers: [REPORT] });
    expect((await hive(['router', 'hide'], { env })).code).toBe(2);
  });
});
