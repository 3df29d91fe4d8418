import { describe, expect, test } from 'vitest';
import { parseRoutePolicy } from '../../src/lab/route-policy.ts';
import { createRouteStream } from '../../src/lab/route-stream.ts';
import { type GradedSpec, gradedWorld, yardsticks } from '../lab/graded-kit.ts';

const BASE: GradedSpec = {
  seed: '',
  rows: 8000,
  models: 11,
  tasks: 12,
  interaction: 0.7,
  spread: 0.8,
  dearest: 0,
  order: 'shuffled',
};
const WORLDS: Readonly<Record<string, Partial<GradedSpec>>> = {
  'free, shuffled': {},
  'dear, shuffled': { dearest: 0.3 },
  'very dear': { dearest: 3 },
  'by task': { order: 'file', dearest: 0.1 },
  '25 models': { models: 25, spread: 0.5 },
  'tasks alike': { interaction: 0 },
  'one dominates': { interaction: 0.3, dominant: 1 },
  'prices × 100': { dearest: 2, price_ratio: 100 },
};
const STRATEGIES = ['auto', 'thompson', 'epsilon-greedy', 'uniform'] as const;

/** Points of utility a row, over what always the best single model would have had. */
function overBest(spec: GradedSpec, strategy: string): number {
  const lines = gradedWorld(spec);
  const { utility, best } = yardsticks(lines, 1);
  const policy = parseRoutePolicy(
    JSON.stringify({ route: { objective: { cost_weight: 1 }, strategy } }),
  );
  const stream = createRouteStream(policy, 1);
  let earned = 0;
  for (const line of lines) {
    const chosen = stream.next({ ...line, models: new Map(Object.entries(line.models)) });
    if (typeof chosen === 'string') throw new Error(chosen);
    earned += utility(line, chosen.model);
  }
  return (100 * (earned - best)) / lines.length;
}

/** The table of docs/routing.md. */
describe('lab route figures', () => {
  test('auto earns as much as the best single model, which it is not told, on average', () => {
    const sums = new Map<string, number>();
    for (const [name, world] of Object.entries(WORLDS)) {
      const row = STRATEGIES.map((strategy) => {
        const points =
          [1, 2, 3].reduce(
            (sum, seed) => sum + overBest({ ...BASE, ...world, seed: `${name}${seed}` }, strategy),
            0,
          ) / 3;
        sums.set(strategy, (sums.get(strategy) ?? 0) + points);
        return `${strategy} ${points.toFixed(2)}`;
      });
      console.info(name, row.join(', '));
    }
    const mean = (strategy: string): number =>
      (sums.get(strategy) ?? 0) / Object.keys(WORLDS).length;
    expect(mean('auto')).toBeGreaterThan(-0.5);
    expect(mean('auto')).toBeGreaterThan(mean('thompson'));
    expect(mean('auto')).toBeGreaterThan(mean('epsilon-greedy'));
  });
});
