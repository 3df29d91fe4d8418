import { expect, test } from 'vitest';
import { definition } from '../../../src/oracle/detectors/cost-drift.ts';
import { cell, detectWith, lognormal, observed, toldOf } from '../observation.ts';

const priced = (target: string | null, usd: number, count: number, seed: number) =>
  cell(target, 'error', 0, count, {
    quantities: { cost_usd: lognormal(usd, count, seed), tokens_out: lognormal(300, count, seed) },
  });
const detect = (observation: Parameters<typeof detectWith>[1]) =>
  detectWith(definition, observation);

test('cost-drift finds a third more a call, and says what tokens did meanwhile', () => {
  const result = detect(observed([priced(null, 0.004, 1000, 1)], [priced(null, 0.003, 7000, 2)]));
  expect(toldOf(result)).toEqual(['agent cost_usd investigate']);
  const [finding] = result.findings;
  expect(finding).toMatchObject({ severity: 'warning', measure: 'usd', direction: 'worse' });
  expect(finding?.text).toMatch(/^A typical call of agent duo costs \$0\.0039\d* \(95 % interval/);
  expect(finding?.text).toMatch(/Meanwhile -?\d\.\d % more tokens answered\.$/);
});

test('cost-drift tells calls that moved to a dearer target from a dearer target', () => {
  const past = [
    priced('mini', 0.001, 6000, 1),
    priced('large', 0.01, 1000, 2),
    priced(null, 0.0014, 7000, 3),
  ];
  const moved = [
    priced('mini', 0.001, 200, 4),
    priced('large', 0.01, 800, 5),
    priced(null, 0.006, 1000, 6),
  ];
  const result = detect(observed(moved, past));
  expect(toldOf(result)).toEqual(['agent cost_usd note']);
  expect(result.findings[0]?.text).toMatch(/calls moved to dearer targets/);
});

test('cost-drift is silent on noise, and says how many priced calls it lacks', () => {
  const past = [priced(null, 0.003, 7000, 2)];
  expect(detect(observed([priced(null, 0.003, 1000, 8)], past)).findings).toEqual([]);
  const { insufficient } = detect(observed([priced(null, 0.003, 40, 8)], past));
  expect(insufficient).toMatchObject([
    { metric: 'cost_usd', units: 40, required: 100, of: 'calls' },
  ]);
});
