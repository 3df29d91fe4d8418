import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExperimentRecord } from '../../src/core/ledger.ts';
import { type Canary, type Step, siblingId, stepCanary } from '../../src/oracle/canary.ts';
import { ADAPTER_PATCH, experimentRecord, mutationFor, rowFor } from './kit.ts';

const HOUR_MS = 3_600_000;

function fresh(change: Partial<ExperimentRecord> = {}): Canary {
  const row = rowFor(mutationFor(ADAPTER_PATCH), { state: 'canary' });
  const experiment = experimentRecord({ id: siblingId(row.id, 'exp'), row: row.id, ...change });
  return { row, experiment };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('ramp' as const), share: fc.constantFrom(0.1, 0.25, 0.5) }),
  fc.constant<Step>({ kind: 'expire', reason: 'silence' }),
  fc.constant<Step>({ kind: 'pause', by: 'hold', reason: 'harm' }),
  fc.constant<Step>({ kind: 'pause', by: 'feedback_off', reason: 'off' }),
  fc.constant<Step>({ kind: 'resume' }),
  fc.constant<Step>({ kind: 'promote', reason: 'proof' }),
  fc.constant<Step>({ kind: 'withdraw', reason: 'harm' }),
  fc.constant<Step>({ kind: 'supersede', reason: 'edited' }),
);
const FINAL = ['applied', 'withdrawn', 'superseded'];
const ALLOWED: Record<string, readonly string[]> = {
  canary: ['canary', 'paused', ...FINAL],
  paused: ['canary', 'paused', 'withdrawn', 'superseded'],
};
const EXPERIMENT_OF: Record<string, string> = {
  canary: 'canary',
  paused: 'paused',
  applied: 'promoted',
  withdrawn: 'withdrawn',
  superseded: 'withdrawn',
};

function expectLawful(from: Canary, to: Canary): void {
  expect(ALLOWED[from.row.state]).toContain(to.row.state);
  expect(to.experiment.epoch).toBe(from.experiment.epoch + 1);
  expect(to.experiment.state).toBe(EXPERIMENT_OF[to.row.state]);
  const { paused_ms, paused_by, state } = to.experiment;
  if (state === 'paused') expect(paused_by).not.toBeNull();
  if (state === 'canary') expect([paused_ms, paused_by]).toEqual([null, null]);
}

describe('stepCanary', () => {
  test('stepCanary keeps row and experiment in one state and ends for good', () => {
    const steps = fc.array(fc.tuple(step, fc.nat({ max: 5 * HOUR_MS })), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (walk) => {
        let canary = fresh();
        let at_ms = 0;
        for (const [next, later_ms] of walk) {
          at_ms += later_ms;
          const moved = stepCanary(canary, next, at_ms);
          if (moved === null) continue;
          expectLawful(canary, moved);
          canary = moved;
        }
        if (!FINAL.includes(canary.row.state)) return;
        for (const kind of ['resume', 'withdraw', 'promote'] as const) {
          expect(stepCanary(canary, { kind, reason: '' } as Step, at_ms)).toBeNull();
        }
      }),
    );
  });

  test('stepCanary never promotes or ramps a paused canary', () => {
    const paused = stepCanary(fresh(), { kind: 'expire', reason: 'silence' }, 5) as Canary;
    expect(stepCanary(paused, { kind: 'promote', reason: '' }, 6)).toBeNull();
    expect(stepCanary(paused, { kind: 'ramp', share: 0.5 }, 6)).toBeNull();
  });

  test('stepCanary leaves the time paused out of the time at the share', () => {
    const canary = fresh({ started_ms: 0, share_since_ms: 100 });
    const paused = stepCanary(canary, { kind: 'expire', reason: 'silence' }, 1000) as Canary;
    const resumed = stepCanary(paused, { kind: 'resume' }, 5000) as Canary;
    expect(resumed.experiment).toMatchObject({
      state: 'canary',
      share: 0.05,
      share_since_ms: 4100,
      paused_total_ms: 4000,
    });
  });

  test('stepCanary withdraws at the third expiry within 24 hours, not at one a day', () => {
    let canary = fresh();
    for (const at_ms of [HOUR_MS, 2 * HOUR_MS]) {
      canary = stepCanary(canary, { kind: 'expire', reason: 'silence' }, at_ms) as Canary;
      expect(canary.row.state).toBe('paused');
      canary = stepCanary(canary, { kind: 'resume' }, at_ms + 1) as Canary;
    }
    const third = stepCanary(canary, { kind: 'expire', reason: 'silence' }, 3 * HOUR_MS) as Canary;
    expect(third.row).toMatchObject({ state: 'withdrawn', ended_ms: 3 * HOUR_MS });
    const later = stepCanary(canary, { kind: 'expire', reason: 'silence' }, 25.5 * HOUR_MS);
    expect(later?.row.state).toBe('paused');
  });
});
