import { expect, test } from 'vitest';
import {
  ATTACKS,
  DEGRADATIONS,
  isFound,
  quietWeek,
  SPEEDS,
  underAttack,
} from '../oracle/figures.ts';

/** The analyzer's figures at length: `SEED=… RUNS=… npm run test:slow` runs a failure again. */
const SEED = Number(process.env.SEED ?? 1);
const WEEKS = Number(process.env.WEEKS ?? 24);
const RUNS = Number(process.env.RUNS ?? 40);
const WORLDS = Number(process.env.WORLDS ?? 1000);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

test(`findings in ${WEEKS} weeks with nothing wrong are at most one a week (seed ${SEED})`, () => {
  let told = 0;
  for (let week = 0; week < WEEKS; week += 1) {
    const findings = quietWeek(SEED + week * 7919, 3);
    told += findings.length;
    for (const { level, detector, text } of findings)
      say(`week ${week}: ${level} ${detector}: ${text}`);
  }
  say(`${told} findings in ${WEEKS} quiet weeks`);
  expect(told / WEEKS).toBeLessThanOrEqual(1);
});

for (const change of DEGRADATIONS) {
  test(`findings name ${change.name} within 2,000 calls, 95 of 100 times (seed ${SEED})`, () => {
    let [found, runs] = [0, 0];
    for (const calls_a_day of SPEEDS) {
      let here = 0;
      for (let run = 0; run < RUNS; run += 1) {
        if (isFound(change, calls_a_day, SEED + run * 104_729)) here += 1;
      }
      say(`${change.name} at ${calls_a_day} calls a day: ${here} of ${RUNS}`);
      found += here;
      runs += RUNS;
    }
    expect(found / runs).toBeGreaterThanOrEqual(0.95);
  });
}

test(`findings at action level under attack: none in ${WORLDS} worlds (seed ${SEED})`, () => {
  const wrong: string[] = [];
  for (let world = 0; world < WORLDS; world += 1) {
    const kind = ATTACKS[world % ATTACKS.length] as (typeof ATTACKS)[number];
    for (const { text } of underAttack(kind, SEED + world * 31_337)) {
      wrong.push(`${kind} in world ${world}: ${text}`);
    }
    if (world % 100 === 99) say(`${world + 1} worlds, ${wrong.length} wrong`);
  }
  expect(wrong).toEqual([]);
});
