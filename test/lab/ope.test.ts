import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Evaluation } from '../../src/core/ope/evaluate.ts';
import { ope } from '../../src/lab/ope.ts';
import { clicksWorld, sample } from '../core/ope/worlds.ts';
import { jsonLines, runOn } from './lab-kit.ts';

const { log, target } = sample(clicksWorld(5, 3, { rate: 0.2 }), 1200, 4);
const targetRows = [...target].map(([id, probs]) => ({ id, probs: Object.fromEntries(probs) }));

async function evaluated(logText: string, targetText: string) {
  const ran = await runOn(ope, { log: 'l', target: 't' }, { l: logText, t: targetText });
  expect(ran.code).toBe(0);
  expect(ran.out).toHaveLength(1);
  return { ...ran, found: JSON.parse(ran.out[0] as string) as Evaluation };
}

describe('hive lab ope', () => {
  test('ope prints one JSON with estimate, interval, sample size and verdict', async () => {
    const { found, err } = await evaluated(jsonLines(log), jsonLines([...targetRows].reverse()));
    expect(err).toEqual([]);
    expect(found).toMatchObject({ verdict: 'ok', n: 1200 });
    const [low, high] = found.ci as readonly [number, number];
    expect(low).toBeLessThan(found.estimate as number);
    expect(high).toBeGreaterThan(found.estimate as number);
    expect(found.ess).toBeGreaterThan(200);
  });

  test('ope leaves bad rows out, names them by line and exits with 0', async () => {
    const bad = [
      '{"id":"x","action":"a","propensity":0.5,"reward":"much"}',
      '{"id":"x","actions":["b"],"action":"a","propensity":0.5,"reward":1}',
      JSON.stringify(log[0]),
      '{"id":"y","action":"a0","propensity":1.2,"reward":1}',
      '{"id":"z","action":"a0","reward":1}',
    ];
    const { err, found } = await evaluated(
      `${jsonLines(log)}${bad.join('\n')}`,
      `{"id":"r0","probs":{"a0":0.4}}\n${jsonLines(targetRows)}`,
    );
    expect(err).toEqual([
      'l:1201: reward is no number; the row is left out',
      'l:1202: action "a" is not among the actions; the row is left out',
      'l:1203: the id "r0" was there before; the row is left out',
      'l:1204: the propensity is 1.2: it is a probability above 0; the row is left out',
      'l:1205: the propensity is none: it is a probability above 0; the row is left out',
      't:1: the probabilities add up to 0.4, not 1; the row is left out',
    ]);
    expect(found.n).toBe(1200);
  });

  test('ope says how many rows have nothing to be joined with', async () => {
    const others = [{ id: 'other', probs: { a0: 1 } }, ...targetRows.slice(7)];
    const { found } = await evaluated(jsonLines(log), jsonLines(others));
    expect(found.reason).toMatch(/7 rows of the log have no target and are left out/);
    expect(found.reason).toMatch(/1 rows of the target have no id of the log/);
  });

  test('ope answers with a refusal whatever the rows hold', async () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    const row = fc.record({
      id: fc.oneof(fc.string(), fc.nat(), value),
      context: value,
      actions: value,
      action: fc.oneof(fc.string(), value),
      propensity: fc.oneof(fc.double(), value),
      reward: fc.oneof(fc.double(), value),
      probs: value,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
        const { found } = await evaluated(jsonLines(rows), jsonLines(rows));
        expect(found).toMatchObject({ verdict: 'refused', estimate: null, ci: null });
        expect(Number.isFinite(found.ess)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
