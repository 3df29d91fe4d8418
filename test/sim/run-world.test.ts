import { describe, expect, test } from 'vitest';
import { loadWorld } from '../../src/sim/load-world.ts';
import { gainedOf, summaryOf } from '../../src/sim/report.ts';
import { reportText, summaryText } from '../../src/sim/report-text.ts';
import { runWorld } from '../../src/sim/run-world.ts';
import { smallWorld } from './world-kit.ts';

const QUICK = { detectors: ['dissatisfaction', 'performance-degradation'] };
const table = (head: readonly string[], rows: readonly (readonly string[])[], none: string) =>
  rows.length === 0 ? none : [head, ...rows].map((row) => row.join('|')).join('\n');

const bad = smallWorld({
  days: 4,
  tick_minutes: 60,
  models: { a: { quality: 0.2 } },
  agents: { helper: { targets: { a: 1 } } },
  prompts: { 'kind@1': { quality: 0.7 } },
  users: { people: { agent: 'helper', count: 400, calls_per_day: 4, rates: 0.5 } },
  truth: [{ agent: 'helper', metrics: ['dissatisfied'] }],
  oracle: {
    safety: {
      canary: {
        share: 0.2,
        ramp: [0.5, 1],
        minutes_min: 60,
        units_min: 50,
        step: { minutes: 10, units: 20 },
      },
    },
  },
});

describe('a world in process', () => {
  test('the same seed gives the same report, and nothing happens where nothing is wrong', () => {
    const world = smallWorld();
    const report = runWorld(world, { seed: 3, ...QUICK });
    expect(runWorld(world, { seed: 3, ...QUICK })).toEqual(report);
    expect(report.findings).toEqual([]);
    expect(report.loop).toEqual(report.nothing);
    expect(report.omniscient.satisfied).toBe(report.nothing.satisfied);
    expect(gainedOf(report)).toBeNull();
  });

  test('a bad model is found, a better prompt proved on a canary, and users gain', () => {
    const report = runWorld(bad, { seed: 1, ...QUICK });
    expect(report.truths[0]).toMatchObject({ level: 'act' });
    expect(report.changes.map(({ type, state }) => [type, state])).toEqual([
      ['PROMPT_PATCH', 'applied'],
    ]);
    expect(report.changes[0]?.worth_usd).toBeGreaterThan(0);
    expect(gainedOf(report)).toBeGreaterThan(0.3);
    expect(report.compared.better).toBeGreaterThan(20 * report.compared.worse);
    const text = reportText(report, table);
    expect(text).toContain('PROMPT_PATCH|helper|{"prompt":"kind@1"}|applied');
    expect(summaryText(summaryOf([report]))).toContain('1 kept, 0 of these for the worse');
  });

  test('six hours are enough to find, try and prove a change that helps much', () => {
    for (const seed of [1, 2, 3]) {
      const report = runWorld(loadWorld('quick-canary'), { seed });
      expect(report.changes.map(({ type, state }) => [type, state])).toEqual([
        ['PROMPT_PATCH', 'applied'],
      ]);
      expect(gainedOf(report)).toBeGreaterThan(0);
    }
  });

  test('with nobody to approve, nothing is changed', () => {
    const { scenario } = bad;
    const alone = {
      name: 'alone',
      scenario: { ...scenario, person: { approves: false, after_minutes: 0 } },
    };
    const report = runWorld(alone, { seed: 1, days: 1, ...QUICK });
    expect(report.changes).toEqual([]);
    expect(report.loop).toEqual(report.nothing);
  });
});
