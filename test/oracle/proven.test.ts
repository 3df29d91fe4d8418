import { describe, expect, test } from 'vitest';
import { judgeAb } from '../../src/core/ab/judge.ts';
import type { AbRecord } from '../../src/core/ab/record.ts';
import { RouterOptions } from '../../src/core/routing/router-options.ts';
import { type Lesson, learnTable } from '../../src/oracle/learn-table.ts';
import { provenOf } from '../../src/oracle/proven.ts';
import { entryOf } from '../core/ab/traffic.ts';
import { POLICY } from './kit.ts';

const arms = { control: { share: 0.5 }, kind: { share: 0.5, set: { prompt: 'tone@2' } } };
const entry = entryOf({ agent: 'solo', arms });

/** 1,000 units an arm, half of whom rate; `events` of control's and of the arm's are displeased. */
function ended(control: number, kind: number, over: Partial<AbRecord> = {}): AbRecord {
  const of = (dissatisfied: number) => ({
    units: { assigned: 1000, rated: 500, dissatisfied },
    means: {},
  });
  const counts = { control: of(control), kind: of(kind) };
  const report = judgeAb({ entry, counts, age_ms: 3_600_000, dropped: {} });
  const { step } = report;
  return {
    id: 'tone@00000000',
    kind: 'ab',
    name: 'tone',
    agent: 'solo',
    state: 'stopped',
    epoch: 2,
    entry,
    started_ms: 0,
    stopped_ms: 3_600_000,
    dropped: {},
    verdict: step.kind === 'stop' ? step.verdict : null,
    report,
    plan: null,
    no_plan: null,
    ...over,
  };
}

describe('what an experiment has proven', () => {
  test('is its winner, in the units of its metric', () => {
    const [found, ...more] = provenOf(POLICY, [ended(150, 60)], []);
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      metric: 'experiment',
      kind: 'arm',
      segment: { agent: 'solo', target: null },
      subject: 'kind of experiment tone@00000000',
      of: 'dissatisfied units',
      measure: 'share',
      value: 0.12,
      against: { name: 'control', value: 0.3 },
      alpha: 0.05,
      n: 1000,
      units: 2000,
      since_ms: 3_600_000,
    });
    const [low, high] = found?.interval ?? [0, 1];
    expect(low).toBeLessThan(0.12);
    expect(high).toBeGreaterThan(0.12);
    expect(high).toBeLessThan(0.3);
    expect(found?.e).toBeGreaterThan(20);
  });

  test('says what has become of it', () => {
    const doneOf = (over: Partial<AbRecord>) =>
      provenOf(POLICY, [ended(150, 60, over)], [])[0]?.done;
    expect(doneOf({})).toMatch(/only reports/);
    expect(doneOf({ plan: 'plan_1' })).toMatch(/^Plan plan_1 was made of it/);
    expect(doneOf({ no_plan: 'bounds' })).toBe('No plan was made of it: bounds.');
  });

  test('is nothing while it runs, without a winner, once taken out, or once in force', () => {
    expect(provenOf(POLICY, [ended(100, 95)], [])).toEqual([]);
    for (const state of ['running', 'removed'] as const) {
      expect(provenOf(POLICY, [ended(150, 60, { state })], [])).toEqual([]);
    }
    const solo = { ...POLICY.agents.solo, prompt: 'tone@2' };
    const adopted = { ...POLICY, agents: { ...POLICY.agents, solo } } as typeof POLICY;
    expect(provenOf(adopted, [ended(150, 60)], [])).toEqual([]);
  });
});

describe('what a router has proven', () => {
  const rewardsOf = (means: Readonly<Record<string, number>>, each: number) =>
    Array.from({ length: each }, (_, at) =>
      Object.entries(means).map(([target, mean]): Lesson['rewards'][number] => {
        const reward = Number((at * 0.618034) % 1 < mean);
        return { unit: `u:${at}`, category: '', target, reward, features: null };
      }),
    ).flat();
  const report = (means: Readonly<Record<string, number>>, each: number, stop?: object) =>
    learnTable({
      agent: 'duo',
      options: RouterOptions.parse({ strategy: 'bandit', bandit: stop ? { stop } : {} }),
      targets: Object.keys(means),
      rewards: rewardsOf(means, each),
      left_out: 0,
      choices: [],
    }).report;

  test('is told with the gap to the next best target and its evidence', () => {
    const [found] = provenOf(POLICY, [], [report({ bad: 0.2, demo: 0.5, mini: 0.8 }, 400, {})]);
    expect(found).toMatchObject({
      metric: 'route',
      segment: { agent: 'duo', target: 'mini' },
      of: 'reward (success)',
      against: { name: 'demo' },
      n: 800,
    });
    expect(found?.value).toBeCloseTo(0.8, 1);
    expect(found?.interval[0]).toBeGreaterThan(found?.against.value ?? 1);
    expect(found?.p).toBeLessThan(1e-6);
    expect(found?.done).toMatch(/only reports/);
    const used = report({ demo: 0.5, mini: 0.8 }, 400, { on_proven: 'exploit' });
    expect(provenOf(POLICY, [], [used])[0]?.done).toMatch(/all calls but the floors/);
  });

  test('is told of a router with context by the target over which it pays least', () => {
    const plain = report({ demo: 0.5, mini: 0.8 }, 40);
    const over = [
      { target: 'mini', difference: 0.1, interval: [0.04, 0.16] as const, e: 900 },
      { target: 'demo', difference: 0.3, interval: [0.2, 0.4] as const, e: 1e9 },
    ];
    const worth = { units: 700, over, verdict: 'context', target: null } as const;
    expect(provenOf(POLICY, [], [{ ...plain, strategy: 'linucb', worth }])).toMatchObject([
      {
        kind: 'context',
        segment: { agent: 'duo', target: null },
        subject: 'strategy linucb',
        against: { name: 'always mini', value: 0 },
        value: 0.1,
        interval: [0.04, 0.16],
        n: 700,
      },
    ]);
    const [least] = over;
    const worse = {
      ...(least as (typeof over)[number]),
      difference: -0.1,
      interval: [-0.2, -0.05] as const,
    };
    const single = { ...worth, over: [worse], verdict: 'single', target: 'mini' } as const;
    expect(provenOf(POLICY, [], [{ ...plain, worth: single }])).toMatchObject([
      { kind: 'single', segment: { target: 'mini' }, value: 0.1, interval: [0.05, 0.2] },
    ]);
    const none = { ...worth, verdict: null } as const;
    expect(provenOf(POLICY, [], [{ ...plain, worth: none }])).toEqual([]);
  });

  test('is nothing without `stop`, or where rewards are too few for an e-value', () => {
    expect(provenOf(POLICY, [], [report({ demo: 0.5, mini: 0.8 }, 400)])).toEqual([]);
    const few = report({ demo: 0.05, mini: 0.95 }, 30, {});
    expect(few.proven).toHaveLength(1);
    expect(provenOf(POLICY, [], [few])).toEqual([]);
  });
});
