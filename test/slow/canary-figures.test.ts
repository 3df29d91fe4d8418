import { describe, expect, test } from 'vitest';
import { evidenceLn, HARM_LIMIT } from '../../src/core/sequential.ts';
import { wilsonInterval } from '../../src/core/statistics.ts';
import { seeded } from '../core/ope/worlds.ts';
import { count, livesOf, quantile, type StreamWorld, USUAL } from '../lab/canary-kit.ts';

/** Figures of docs/oracle.md: `npm run test:slow -- test/slow/canary-figures`. Seeds are fixed. */
const RUNS = 2_000;
const SHARE = 0.05;
const BASES = [0.005, 0.02, 0.1, 0.5];
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function upper(alarms: number): number {
  return wilsonInterval(alarms, RUNS)[1];
}

/**
 * Whether the oracle's test of one metric alarms in a stream where both arms are alike, looked at
 * after every event. A session's errors are correlated, so it counts at its first one.
 */
function alarms(base: number, kind: 'iid' | 'session' | 'incident', seed: number): boolean {
  const random = seeded(seed);
  const tally = { q: SHARE, canary: 0, control: 0 };
  const units = 4_000;
  for (let unit = 0; unit < units; unit += 1) {
    const incident = kind === 'incident' && unit > 0.4 * units && unit < 0.6 * units;
    const rate = incident ? Math.min(1, base * 10) : base;
    const canary = random() < SHARE;
    let event = random() < rate;
    if (kind === 'session') {
      const requests = 1 + Math.floor(random() * 15);
      event =
        (event && random() < 1 - 0.3 ** requests) || random() < 1 - (1 - rate / 10) ** requests;
    }
    if (!event) continue;
    tally[canary ? 'canary' : 'control'] += 1;
    if (canary && evidenceLn([tally]) >= Math.log(HARM_LIMIT)) return true;
  }
  return false;
}

describe('false alarms of one metric, α 5 %', () => {
  const cells = BASES.flatMap((base) =>
    (['iid', 'session', 'incident'] as const).map((kind) => [base, kind] as const),
  );
  test.each(cells)('evidenceLn at a base rate of %d, %s, stays within 5 %', (base, kind) => {
    const seed = 1_000_000 + Math.round(base * 1000) * 10_000;
    const found = Array.from({ length: RUNS }, (_, run) => alarms(base, kind, seed + run));
    const fired = found.filter(Boolean).length;
    say(`one metric, base ${base}, ${kind}: ${fired} of ${RUNS}, upper ${upper(fired)}`);
    expect(upper(fired)).toBeLessThanOrEqual(0.05);
  });
});

describe('false reverts of hive lab canary, all metrics together', () => {
  const alike = (error: number): StreamWorld => {
    const arm = { ...USUAL, error };
    return { share: SHARE, units: 4_000, a: arm, b: arm };
  };
  const cells: readonly (readonly [string, StreamWorld])[] = [
    ...BASES.map((base) => [`base ${base}`, alike(base)] as const),
    ['sessions of 8', { ...alike(0.1), session: 8, units: 1_500 }],
    ['incident, heavy tail', { ...alike(0.01), incident: true, spread: 1.5 }],
    ['share one half', { ...alike(0.02), share: 0.5 }],
  ];
  test.each(cells)('canary of no difference, %s, is reverted within 5 %', (name, world) => {
    const lives = livesOf(world, RUNS, 10_000);
    const fired = count(lives, 'revert');
    const promoted = count(lives, 'promote');
    say(`lab, ${name}: ${fired} reverts, upper ${upper(fired)}; ${promoted} promotions`);
    expect(upper(fired)).toBeLessThanOrEqual(0.05);
    expect(promoted / RUNS).toBeLessThanOrEqual(0.01);
  });
});

describe('detection', () => {
  test('canary at 15 % errors against 2 %: median ≤ 25, p90 ≤ 60 of its units', () => {
    const world = { share: SHARE, units: 20_000, a: USUAL, b: { ...USUAL, error: 0.15 } };
    const lives = livesOf(world, RUNS, 50_000);
    const units = lives.map(({ canary_units }) => canary_units);
    say(`15 % against 2 %: median ${quantile(units, 0.5)}, p90 ${quantile(units, 0.9)}`);
    expect(count(lives, 'revert')).toBe(RUNS);
    expect(quantile(units, 0.5)).toBeLessThanOrEqual(25);
    expect(quantile(units, 0.9)).toBeLessThanOrEqual(60);
  });

  test('canary that is worse is never promoted', () => {
    const worse = [
      { ...USUAL, error: 0.03 },
      { ...USUAL, dissatisfied: 0.3 },
      { ...USUAL, latency_ln: 6.2 },
    ];
    for (const b of worse) {
      const lives = livesOf({ share: 0.2, units: 6_000, a: USUAL, b, rated: 0.5 }, 300, 90_000);
      say(`worse: ${count(lives, 'revert')} of 300 reverted, ${count(lives, 'promote')} promoted`);
      expect(count(lives, 'promote')).toBe(0);
    }
  });
});
