import { describe, expect, test } from 'vitest';
import {
  evaluate,
  labelsWorld,
  logisticWorld,
  sample,
  trueValue,
  type World,
} from '../core/ope/worlds.ts';

/** Figures of docs/oracle.md: `npm run test:slow -- test/slow/ope-figures`. Seeds are fixed. */
const LOGS = 1_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Cell {
  readonly name: string;
  readonly world: World;
  readonly rows: number;
  readonly perUnit: number;
}

const CELLS: readonly Cell[] = [
  { name: '4 actions, 4 features', world: logisticWorld(4, 4, 21), rows: 3_000, perUnit: 1 },
  { name: '10 labels, 16 features', world: labelsWorld(10, 16, 3), rows: 3_000, perUnit: 1 },
  { name: '4 actions, 6 rows a unit', world: logisticWorld(4, 4, 21), rows: 6_000, perUnit: 6 },
];

describe('off-policy evaluation on synthetic logs', () => {
  test.each(CELLS)('evaluateTarget, $name: DR beats IPS and its interval covers', (cell) => {
    const truth = trueValue(cell.world, 999);
    let covered = 0;
    let answered = 0;
    let robust = 0;
    let ips = 0;
    for (let log = 0; log < LOGS; log += 1) {
      const found = evaluate(sample(cell.world, cell.rows, 1_000 + log, cell.perUnit));
      if (found.verdict === 'refused') {
        expect(found.ess).toBeLessThan(200);
        continue;
      }
      answered += 1;
      const [low, high] = found.ci as readonly [number, number];
      if (low <= truth && truth <= high) covered += 1;
      robust += ((found.estimate as number) - truth) ** 2;
      ips += ((found.others?.ips as number) - truth) ** 2;
    }
    const rmse = [robust, ips].map((sum) => Math.sqrt(sum / answered).toFixed(5));
    say(`${cell.name}: covers ${covered} of ${answered}, RMSE DR ${rmse[0]}, IPS ${rmse[1]}`);
    expect(answered).toBeGreaterThanOrEqual(0.9 * LOGS);
    expect(robust).toBeLessThan(ips);
    expect(covered / answered).toBeGreaterThanOrEqual(0.93);
    expect(covered / answered).toBeLessThanOrEqual(0.97);
  });
});
