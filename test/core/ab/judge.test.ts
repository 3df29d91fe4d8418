import { describe, expect, test } from 'vitest';
import { type AbArmCounts, levelsOf } from '../../../src/core/ab/compare.ts';
import type { AbMetric } from '../../../src/core/ab/entry.ts';
import { judgeAb } from '../../../src/core/ab/judge.ts';
import type { AbStep } from '../../../src/core/ab/report.ts';
import { entryOf, liveThrough, type Manners, USUAL } from './traffic.ts';

const HOUR_MS = 3_600_000;

/** Units of an arm: so many came, all rated, and so many were dissatisfied or failed. */
const arm = (assigned: number, dissatisfied: number, error = 0): AbArmCounts => ({
  units: { assigned, rated: assigned, dissatisfied, error },
  means: {},
});

/** Control and two more arms, of which `a` does harm. */
function threeArms() {
  const arms = {
    control: { share: 0.4 },
    a: { share: 0.3, set: {} },
    b: { share: 0.3, set: {} },
  };
  const counts = { control: arm(400, 80), a: arm(300, 180), b: arm(300, 60) };
  return { entry: entryOf({ arms }), counts };
}

const judged = (
  friendly: AbArmCounts,
  control: AbArmCounts,
  { entry = entryOf(), age_ms = 48 * HOUR_MS, dropped = {} } = {},
) => judgeAb({ entry, counts: { control, friendly }, age_ms, dropped });

const kindOf = (step: AbStep): string => (step.kind === 'stop' ? step.verdict.kind : step.kind);

describe('judgeAb', () => {
  test('tells a winner in a sentence, with the interval that proves it', () => {
    const { step, sentence, comparisons } = judged(arm(400, 30), arm(400, 120));
    expect(kindOf(step)).toBe('winner');
    expect(sentence).toMatch(/^friendly is better: dissatisfied units −7\d.*% \(−\d.*% to −\d/);
    expect(comparisons[0]).toMatchObject({ role: 'primary', proven: 'better', alpha: 0.05 });
    expect(comparisons[0]?.p).toBeLessThan(0.05);
  });

  test('waits for the units and the hours that it was given, whatever the evidence', () => {
    const entry = entryOf({ stop: { ...entryOf().stop, units_min: 500, hours_min: 24 } });
    const few = judged(arm(400, 30), arm(400, 120), { entry });
    expect(few.step.kind).toBe('continue');
    expect(few.sentence).toMatch(/^400 of 500 units in the smallest arm; friendly: dissatisfied/);
    const early = judged(arm(600, 30), arm(600, 180), { entry, age_ms: 3 * HOUR_MS });
    expect(early.sentence).toMatch(/^3 of 24 hours/);
    expect(kindOf(judged(arm(600, 30), arm(600, 180), { entry }).step)).toBe('winner');
  });

  test('ends for harm without waiting for anything', () => {
    const entry = entryOf({ stop: { ...entryOf().stop, units_min: 5000, hours_min: 100 } });
    const { step, sentence } = judged(arm(90, 60), arm(90, 20), { entry, age_ms: 60_000 });
    expect(kindOf(step)).toBe('harm');
    expect(sentence).toMatch(/^friendly does harm: dissatisfied units × .*; control is kept$/);
  });

  test('ends where a guardrail is proven to be broken, also for an arm that is better', () => {
    const entry = entryOf({ guardrails: { success: 0.5 } });
    const { step, sentence } = judged(arm(400, 30, 90), arm(400, 120, 10), { entry });
    expect(kindOf(step)).toBe('harm');
    expect(sentence).toContain('units with a failed call');
    expect(sentence).toContain('of which 50 % is allowed');
  });

  test('drops an arm that does harm while another is left, and ends with the last', () => {
    const { entry, counts } = threeArms();
    const first = judgeAb({ entry, counts, age_ms: 0, dropped: {} });
    expect(first.step).toMatchObject({ kind: 'drop', arm: 'a' });
    const then = judgeAb({ entry, counts, age_ms: 0, dropped: { a: 'harm' } });
    expect(then.step.kind).toBe('continue');
    const worse = { ...counts, b: arm(300, 180) };
    expect(kindOf(judgeAb({ entry, counts: worse, age_ms: 0, dropped: { a: 'harm' } }).step)).toBe(
      'harm',
    );
  });

  test('leaves a dropped arm as it was compared when it went, however long control goes on', () => {
    const { entry, counts } = threeArms();
    const before = judgeAb({ entry, counts, age_ms: 0, dropped: {} });
    const later = { ...counts, control: arm(4000, 800), b: arm(3000, 600) };
    const now = judgeAb({ entry, counts: later, age_ms: 0, dropped: { a: 'harm' }, before });
    const [a, b] = ['a', 'b'].map((name) => now.comparisons.find((one) => one.arm === name));
    expect(a).toEqual(before.comparisons.find((one) => one.arm === 'a'));
    expect(a?.proven).toBe('worse');
    expect(b).not.toEqual(before.comparisons.find((one) => one.arm === 'b'));
  });

  test('is void where units do not fall into the arms as the shares say, and says so', () => {
    const { step, sentence, split } = judged(arm(300, 10), arm(500, 200));
    expect(kindOf(step)).toBe('void');
    expect(split.state).toBe('failed');
    expect(sentence).toMatch(/^void: units do not fall into the arms as the shares say \(p /);
  });

  test('tells no winner while the split is in doubt, or the arms differ in how many rate', () => {
    const doubtful = judged(arm(315, 20), arm(405, 130));
    expect(doubtful.split.state).toBe('doubtful');
    expect(doubtful.step.kind).toBe('continue');
    const silent: AbArmCounts = {
      units: { assigned: 400, rated: 200, dissatisfied: 30 },
      means: {},
    };
    const { step, sentence, raters } = judged(silent, arm(400, 120));
    expect(raters?.state).toBe('failed');
    expect(step.kind).toBe('continue');
    expect(sentence).toMatch(/^held: the arms differ in how many rate/);
  });

  test('gives up where no arm can reach what matters, and at its longest', () => {
    const stop = { ...entryOf().stop, min_effect: 0.3 };
    const same = judged(arm(2000, 600), arm(2000, 600), { entry: entryOf({ stop }) });
    expect(kindOf(same.step)).toBe('futile');
    expect(same.sentence).toBe('no arm is better by 30 % or more: control is kept');
    const old = judged(arm(200, 60), arm(200, 60), { age_ms: 15 * 24 * HOUR_MS });
    expect(old.sentence).toBe('14 days are over, and no arm is proven better: control is kept');
    const many = judged(arm(10_000, 3000), arm(10_000, 3000));
    expect(many.sentence).toMatch(/^20000 units were counted, and no arm is proven better/);
  });

  test('shares alpha out among arms, and gives guardrails one half of it', () => {
    const arms = {
      control: { share: 0.5 },
      a: { share: 0.2, set: {} },
      b: { share: 0.2, set: {} },
    };
    expect(levelsOf(entryOf({ arms }))).toMatchObject({ primary: 0.025 });
    expect(levelsOf(entryOf({ arms, guardrails: { latency: 0, abort: 0 } }))).toEqual({
      primary: 0.0125,
      guardrail: 0.00625,
    });
  });

  test('says of nothing that it has not been looked at enough', () => {
    const { step, sentence, arms } = judgeAb({
      entry: entryOf(),
      counts: {},
      age_ms: 0,
      dropped: {},
    });
    expect(step.kind).toBe('continue');
    expect(sentence).toContain('0 of 100 units');
    expect(arms[0]?.metrics[0]).toEqual({
      metric: 'dissatisfied',
      n: 0,
      value: null,
      low: null,
      high: null,
    });
  });
});

describe('an experiment of users who come back, looked at all the time', () => {
  const options = { calls: 1500, look: 50, returning: 3 };
  const run = (
    runs: number,
    over: Parameters<typeof entryOf>[0],
    mannersOf: (arm: string) => Manners,
    more: Partial<typeof options> = {},
  ): readonly string[] =>
    Array.from({ length: runs }, (_, seed) =>
      kindOf(liveThrough(entryOf(over), mannersOf, { seed, ...options, ...more }).report.step),
    );
  const better = (change: Partial<Manners>) => (name: string) =>
    name === 'control' ? USUAL : { ...USUAL, ...change };

  test.each<AbMetric>(['dissatisfied', 'rating', 'latency'])(
    'says nothing of %s where the arms are alike, in 95 of 100 runs',
    (metric) => {
      const said = run(40, { metric, guardrails: { success: 0 } }, () => USUAL).filter(
        (kind) => kind !== 'continue',
      );
      // 6 or more of 40 at 5 % each: below 1 in 70; the slow suite counts thousands.
      expect(said.length).toBeLessThan(6);
    },
  );

  test.each<[AbMetric, Partial<Manners>]>([
    ['dissatisfied', { dissatisfied: 0.08 }],
    ['rating', { rating: 4.3 }],
    ['latency', { latency: 600 }],
  ])('finds an arm that is better in %s', (metric, change) => {
    const ends = run(10, { metric }, better(change), { calls: 5000 });
    expect(ends.filter((kind) => kind === 'winner').length).toBeGreaterThanOrEqual(9);
  });

  test('never calls a worse arm the winner', () => {
    expect(run(10, {}, better({ dissatisfied: 0.5 }), { calls: 4000 })).toEqual(
      Array(10).fill('harm'),
    );
  });
});
