import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clicksWorld,
  evaluate,
  labelsWorld,
  logisticWorld,
  type Sample,
  sample,
  seeded,
  trueValue,
} from './worlds.ts';

const world = logisticWorld(4, 4, 21);
const logged = sample(world, 1500, 11);

function withRows(change: (row: Sample['log'][number], at: number) => object): Sample {
  return {
    ...logged,
    log: logged.log.map((row, at) => ({ ...row, ...change(row, at) })),
  };
}

describe('evaluateTarget', () => {
  test('evaluateTarget gives the same whatever the order of the rows', () => {
    const found = evaluate(logged);
    const random = seeded(5);
    const mixed = [...logged.log].sort(() => random() - 0.5);
    const target = new Map([...logged.target].reverse());
    const again = evaluate({ log: mixed, target });
    expect(found.verdict).toBe('ok');
    expect(again.estimate).toBeCloseTo(found.estimate as number, 5);
    expect(again.ci?.[0]).toBeCloseTo(found.ci?.[0] as number, 5);
    expect(again.ess).toBeCloseTo(found.ess, 6);
  });

  test('evaluateTarget scales with the reward', () => {
    const found = evaluate(logged);
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), (factor) => {
        const scaled = evaluate(withRows(({ reward }) => ({ reward: reward * factor })));
        expect((scaled.estimate as number) / factor).toBeCloseTo(found.estimate as number, 4);
        expect((scaled.ci?.[1] as number) / factor).toBeCloseTo(found.ci?.[1] as number, 4);
      }),
      { numRuns: 5 },
    );
  });

  test("evaluateTarget of the log's own policy is about the mean reward", () => {
    const own = new Map(
      logged.log.map(({ id, action, propensity }) => [
        id,
        new Map([
          [action, propensity],
          [action === 'a0' ? 'a1' : 'a0', 1 - propensity],
        ]),
      ]),
    );
    const found = evaluate({ log: logged.log, target: own });
    const mean = logged.log.reduce((sum, { reward }) => sum + reward, 0) / logged.log.length;
    expect(found.ess).toBeCloseTo(logged.log.length, 6);
    expect(found.estimate).toBeCloseTo(mean, 1);
  });

  test('evaluateTarget of a constant reward is that constant', () => {
    const found = evaluate(withRows(() => ({ reward: 3 })));
    expect(found.estimate).toBeCloseTo(3, 5);
  });
});

describe('the refusals', () => {
  const refusal = (input: Sample): string => {
    const found = evaluate(input);
    expect(found).toMatchObject({ verdict: 'refused', estimate: null, ci: null });
    return found.reason;
  };

  test('evaluateTarget refuses below an effective sample size of 200', () => {
    expect(refusal(sample(world, 150, 3))).toContain('effective sample size');
  });

  test('evaluateTarget refuses propensities that are none, above 1 % of the rows', () => {
    const invalid = (share: number) =>
      withRows((_, at) => (at < share * logged.log.length ? { propensity: at % 2 ? 0 : 1.5 } : {}));
    expect(refusal(invalid(0.05))).toContain('no probabilities above 0');
    expect(evaluate(invalid(0.005)).verdict).toBe('ok');
  });

  test('evaluateTarget refuses a target on actions that the log never chose', () => {
    const elsewhere = new Map(
      logged.log.map(({ id, action }) => [
        id,
        new Map([
          [action, 0.8],
          ['never', 0.2],
        ]),
      ]),
    );
    expect(refusal({ log: logged.log, target: elsewhere })).toContain('no support: 20 %');
  });

  test('evaluateTarget refuses a deterministic log, its own policy too', () => {
    expect(refusal(withRows(() => ({ propensity: 1 })))).toContain('deterministic');
  });

  test("evaluateTarget refuses propensities that are not the log's", () => {
    const halved = withRows(({ propensity }) => ({ propensity: propensity / 2 }));
    expect(refusal(halved)).toContain('weights average 2');
  });

  test('evaluateTarget refuses where no row that the target takes was ever rewarded', () => {
    const heavy = clicksWorld(10, 5, { rate: 0.004, uniform: false });
    const { log, target } = sample(heavy, 3000, 3);
    const first = log.reduce((left, row) => (row.propensity > left.propensity ? row : left));
    const once = log.map((row) => ({ ...row, reward: row === first ? 1 : 0 }));
    const found = evaluate({ log: once, target });
    expect(found.verdict).toBe('refused');
    expect(found.reason).toContain('too few rewards that differ');
  });

  test('evaluateTarget of rewards that are all 0 says up to where they may not be', () => {
    const found = evaluate(withRows(() => ({ reward: 0 })));
    expect(found.estimate).toBe(0);
    expect(found.ci?.[0]).toBe(0);
    expect(found.ci?.[1]).toBeCloseTo(3.69 / found.ess, 3);
  });

  test('evaluateTarget refuses a target with no id of the log', () => {
    const target = new Map([['other', new Map([['a0', 1]])]]);
    expect(refusal({ log: logged.log, target })).toContain('no id of the target');
    expect(refusal({ log: [], target })).toContain('no rows');
  });
});

/** Short versions of test/slow/ope-figures.test.ts. */
describe('the estimates', () => {
  test.each([
    ['logistic', world, 2000],
    ['labels', labelsWorld(6, 8, 3), 1000],
    ['clicks', clicksWorld(6, 5, { rate: 0.05 }), 1500],
  ] as const)('evaluateTarget of %s errs less than IPS and covers', (name, bandit, rows) => {
    const truth = trueValue(bandit, 999, 20_000);
    const runs = 20;
    let robust = 0;
    let ips = 0;
    let covered = 0;
    for (let run = 0; run < runs; run += 1) {
      const found = evaluate(sample(bandit, rows, 40 + run));
      expect(found.verdict).toBe('ok');
      const [low, high] = found.ci ?? [0, 0];
      robust += ((found.estimate ?? 0) - truth) ** 2;
      ips += ((found.others?.ips ?? 0) - truth) ** 2;
      if (low <= truth && truth <= high) covered += 1;
    }
    // With rare rewards the model explains next to nothing, and DR is as good as IPS, no better.
    expect(robust).toBeLessThan(name === 'clicks' ? 1.2 * ips : ips);
    expect(covered).toBeGreaterThanOrEqual(16);
  });

  test('evaluateTarget widens the interval where rows of a unit go together', () => {
    const clustered = sample(world, 3000, 9, 10);
    const alone = clustered.log.map((row) => ({ ...row, unit: undefined }));
    const width = (input: Sample): number => {
      const [low, high] = evaluate(input).ci ?? [0, 0];
      return high - low;
    };
    expect(width(clustered)).toBeGreaterThan(1.2 * width({ ...clustered, log: alone }));
  });
});
