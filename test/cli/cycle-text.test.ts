import { describe, expect, test } from 'vitest';
import { cycleText } from '../../src/cli/cycle-text.ts';
import type { JsonObject } from '../../src/core/canonical.ts';

const cycleWith = (stages: Record<string, JsonObject>): string =>
  cycleText({ id: 'cycle_1', state: 'done', started_ms: 1, ended_ms: 2, stages });

describe('cycleText', () => {
  test('cycleText says in words what each stage did and what a person can do next', () => {
    const segment = (target: string | null) => ({ segment: { agent: 'a', target }, calls: 31 });
    const finding = { severity: 'critical', text: '31 of 31 units were dissatisfied.' };
    const text = cycleWith({
      collect: { segments: [segment(null), segment('demo')], past: [] },
      analyze: { findings: [finding], insufficient: [] },
      decide: { made: ['plan_1'], covered: [], withheld: [{ agent: 'b', reason: 'in a canary' }] },
      validate: { plans: [{ plan: 'plan_1', status: 'needs_approval', verdicts: [] }] },
      execute: { executed: [{ plan_id: 'plan_2', mutations: [{ state: 'canary', share: 0.05 }] }] },
      monitor: {
        canaries: [
          { experiment: 'exp_1', state: 'canary', share: 0.1, judgement: { reason: 'no harm' } },
        ],
      },
    });
    expect(text.split('\n')).toEqual([
      'cycle_1 is done.',
      '  collect   31 calls of 1 agent in the window',
      '  analyze   critical: 31 of 31 units were dissatisfied.',
      '  decide    planned plan_1',
      '            nothing for b: in a canary',
      '  validate  plan_1 waits for a person: hive approve plan_1',
      '  execute   plan_2 is canary at 5 %',
      '  monitor   exp_1 is canary at 10 %: no harm',
    ]);
  });

  test('cycleText says what an empty cycle did not find', () => {
    const text = cycleWith({
      collect: { segments: [] },
      analyze: { findings: [] },
      decide: { made: [], withheld: [] },
      validate: { plans: [] },
      execute: { executed: [], frozen: true },
      monitor: { canaries: [] },
    });
    expect(text).toContain('collect   no calls in the window');
    expect(text).toContain('analyze   no findings');
    expect(text).toContain('execute   frozen: nothing is executed until hive unfreeze');
    expect(text).toContain('monitor   nothing on trial');
  });

  test('cycleText shows the error of a failed stage, and what it does not know, as it is', () => {
    expect(cycleWith({ analyze: { error: 'the store is gone' } })).toContain(
      'analyze   {"error":"the store is gone"}',
    );
    expect(cycleWith({ dream: { sheep: 3 } })).toContain('dream     {"sheep":3}');
  });
});
