import { describe, expect, test } from 'vitest';
import type { CanaryStats, Cell, Judgement } from '../../src/core/canary.ts';
import type { Metric } from '../../src/core/oracle.ts';
import type { Policy } from '../../src/core/policy.ts';
import { judge } from '../../src/oracle/monitor.ts';
import { AT_MS, cell, DAY_MS, statsOf } from './canary-stats.ts';
import { POLICY, withSafety, withSwitches } from './kit.ts';

const better: readonly Cell[] = [
  cell('assigned', 0.5, 'canary', 200),
  cell('assigned', 0.5, 'control', 200),
  cell('rated', 0.5, 'canary', 100),
  cell('rated', 0.5, 'control', 100),
  cell('dissatisfied', 0.5, 'canary', 2),
  cell('dissatisfied', 0.5, 'control', 40),
];
const harmed = [cell('error', 0.5, 'canary', 20), cell('error', 0.5, 'control', 1)];

function action(change: Partial<CanaryStats>, policy: Policy = POLICY): Judgement['action'] {
  return judge(statsOf(change), policy, AT_MS).action;
}

describe('judge', () => {
  test('judge promotes on proof at the last share below 1', () => {
    const judgement = judge(statsOf({ cells: better }), POLICY, AT_MS);
    expect(judgement.action).toBe('promote');
    expect(judgement.improvement).toBeGreaterThan(100);
    expect(judgement.reason).toContain('dissatisfied is lower');
  });

  test('judge counts only matured units for a promotion', () => {
    const fresh = better.map((one) => ({ ...one, matured: 0 }));
    expect(action({ cells: fresh })).toBe('continue');
  });

  test('judge ramps without harm and never promotes below the last share', () => {
    const early = judge(
      statsOf({ share: 0.05, cells: better.map((one) => ({ ...one, share: 0.05 })) }),
      POLICY,
      AT_MS,
    );
    expect(early).toMatchObject({ action: 'ramp', share: 0.1 });
  });

  test('judge skips ramp steps at or below the first share, and ends below 1', () => {
    const policy = withSafety({ canary: { share: 0.25 } });
    expect(judge(statsOf({ share: 0.25 }), policy, AT_MS)).toMatchObject({ share: 0.5 });
    const whole = withSafety({ canary: { share: 0.3, ramp: [1] } });
    const cells = better.map((one) => ({ ...one, share: 0.3 }));
    expect(action({ share: 0.3, cells: cells.slice(4) }, whole)).toBe('promote');
  });

  test.each([
    ['minutes at the share', { share_since_ms: AT_MS - 60_000 }],
    ['units at the share', { canary_units_at_share: 29 }],
    ['minutes in all', { started_ms: AT_MS - 59 * 60_000 }],
    ['units in all', { canary_units: 149 }],
  ])('judge waits for the minimum of %s', (_what, change) => {
    expect(action({ cells: better, ...change })).toBe('continue');
  });

  test('judge reverts on harm in any metric, and on the largest evidence so far', () => {
    expect(action({ cells: [...better, ...harmed] })).toBe('revert');
    expect(action({ cells: better, evidence_max: { abort: 21 } })).toBe('revert');
  });

  test('judge takes the evidence of all shares together', () => {
    const cells = [0.05, 0.1, 0.25].flatMap((share) => [
      cell('slow', share, 'canary', 4),
      cell('slow', share, 'control', 4),
    ]);
    expect(action({ cells: cells.slice(0, 2) })).not.toBe('promote');
    expect(action({ cells })).toBe('revert');
  });

  test('judge holds for a person instead where auto_rollback is off', () => {
    const policy = withSwitches({ auto_rollback: false });
    expect(action({ cells: harmed }, policy)).toBe('hold');
    expect(action({ withheld: 'p95' }, policy)).toBe('hold');
  });

  test('judge reverts on a trigger of the gateway and on too many complaints', () => {
    expect(action({ withheld: 'error rate 40 %' })).toBe('revert');
    expect(action({ complaints: 6 })).toBe('revert');
    expect(action({ complaints: 5 })).toBe('continue');
  });

  test('judge takes a silent arm for harm once chance cannot explain it', () => {
    const silent = { canary_last_ms: AT_MS - 31 * 60_000 };
    expect(action({ ...silent, control_units_since: 20 })).toBe('revert');
    expect(action({ ...silent, control_units_since: 19 })).toBe('continue');
    expect(action({ canary_last_ms: AT_MS - 29 * 60_000, control_units_since: 900 })).toBe(
      'continue',
    );
    // At 5 %, twenty control units pass without one of the canary in a third of all cases.
    const small = { ...silent, share: 0.05, canary_units_at_share: 1 };
    expect(action({ ...small, control_units_since: 100 })).toBe('continue');
    expect(action({ ...small, control_units_since: 300 })).toBe('revert');
    const never = { ...small, canary_last_ms: null, control_units_since: 300 };
    expect(action(never)).toBe('revert');
  });

  test('judge holds a promotion where the arms differ in units or in who rates', () => {
    const lost = [cell('assigned', 0.5, 'canary', 120), cell('assigned', 0.5, 'control', 250)];
    const uneven = judge(statsOf({ cells: [...lost, ...better.slice(2)] }), POLICY, AT_MS);
    expect(uneven.action).toBe('continue');
    expect(uneven.reason).toContain('as the share says');
    const quiet = [cell('rated', 0.5, 'canary', 20), cell('rated', 0.5, 'control', 100)];
    const kept = better.filter(({ metric }) => metric !== 'rated');
    const silenced = judge(statsOf({ cells: [...kept, ...quiet] }), POLICY, AT_MS);
    expect(silenced.action).toBe('continue');
    expect(silenced.reason).toContain('how many rate');
  });

  test('judge keeps the old at days_max', () => {
    const old = { started_ms: AT_MS - 14 * DAY_MS };
    expect(action(old)).toBe('inconclusive');
    expect(action({ ...old, cells: better })).toBe('promote');
    expect(action({ ...old, cells: harmed })).toBe('revert');
  });

  test('judge is silent about metrics that nobody measured', () => {
    const { harm } = judge(statsOf(), POLICY, AT_MS);
    const values = Object.values(harm as Record<Metric, number>);
    for (const value of values) expect(value).toBeCloseTo(1, 12);
  });

  describe('where the units of a share are few', () => {
    const since_ms = AT_MS - 4 * DAY_MS;
    const few: Partial<CanaryStats> = {
      share: 0.05,
      started_ms: since_ms,
      share_since_ms: since_ms,
      cells: [cell('assigned', 0.05, 'canary', 26), cell('assigned', 0.05, 'control', 570)],
      canary_units: 26,
      canary_units_at_share: 26,
      arrivals: { at_share: 1, in_all: 1, primary: 0 },
    };
    const harm = [cell('error', 0.05, 'canary', 3), cell('error', 0.05, 'control', 9)];
    const told = (change: Partial<CanaryStats>) =>
      judge(statsOf({ ...few, ...change }), POLICY, AT_MS);

    test('judge takes the next step on fewer, and says so', () => {
      const { action, share, reason } = told({});
      expect([action, share]).toEqual(['ramp', 0.1]);
      expect(reason).toBe(
        'no harm at 5 %: 26 of 30 canary units at 5 %, and only 1 new units (both arms) in a day',
      );
    });

    test('judge waits while units come, and while nobody knows', () => {
      const coming = { at_share: 100, in_all: 100, primary: 0 };
      expect(told({ arrivals: coming }).action).toBe('continue');
      expect(told({ arrivals: null }).action).toBe('continue');
    });

    test('judge ends it at a sign of harm, which is no proof', () => {
      const judgement = told({ cells: [...(few.cells ?? []), ...harm] });
      expect(judgement.harm.error).toBeGreaterThan(3);
      expect(judgement.harm.error).toBeLessThan(20);
      expect(judgement.action).toBe('inconclusive');
      expect(judgement.reason).toContain('a sign of more error');
    });

    test('judge ends it where all the users there are cannot prove it', () => {
      const cells = [cell('assigned', 0.05, 'canary', 1), cell('assigned', 0.05, 'control', 29)];
      const judgement = told({ cells, canary_units: 1, canary_units_at_share: 1 });
      expect(judgement.action).toBe('inconclusive');
      expect(judgement.reason).toContain('it takes 300 units within 14 days: the old is kept');
    });

    test('judge ends it at the last share once most are counted, unless they lean to good', () => {
      const last = { share: 0.5, canary_units: 300, canary_units_at_share: 300 };
      const counted = (canary: number, control: number) => [
        cell('assigned', 0.5, 'canary', 300),
        cell('assigned', 0.5, 'control', 300),
        cell('dissatisfied', 0.5, 'canary', canary),
        cell('dissatisfied', 0.5, 'control', control),
      ];
      expect(told({ ...last, cells: counted(180, 180) })).toMatchObject({
        action: 'inconclusive',
        reason: 'most units are counted, and they do not lean to an improvement: the old is kept',
      });
      expect(told({ ...last, cells: counted(140, 180) }).action).toBe('continue');
      const rising = { at_share: 1, in_all: 1, primary: 30 };
      expect(told({ ...last, cells: counted(80, 80), arrivals: rising }).action).toBe('continue');
    });

    test('judge ends it where those not yet counted could not prove it', () => {
      const cells = [
        cell('assigned', 0.05, 'canary', 26),
        cell('assigned', 0.05, 'control', 570),
        cell('dissatisfied', 0.05, 'canary', 25),
        cell('dissatisfied', 0.05, 'control', 568),
      ];
      const last = told({ cells, share: 0.5, canary_units: 300, canary_units_at_share: 300 });
      expect(last.action).toBe('inconclusive');
      expect(last.reason).toContain('too few for a proof');
    });
  });
});
