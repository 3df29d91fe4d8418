import { describe, expect, test } from 'vitest';
import { SPLIT_ALPHA, splitEvidenceLn } from '../../../src/core/ab/split.ts';
import { createRandom } from '../../../src/core/routing/random.ts';
import { pickAt } from '../../../src/core/unit.ts';

/** Units into arms with these chances, looked at after every `look`; whether it ever failed. */
function everFails(
  shares: readonly number[],
  chances: readonly number[],
  options: { readonly seed: string; readonly units: number; readonly look: number },
): boolean {
  const random = createRandom(options.seed);
  const arms = shares.map((share) => ({ share, units: 0 }));
  for (let unit = 1; unit <= options.units; unit += 1) {
    const arm = arms[pickAt(random.uniform(), chances)];
    if (arm) arm.units += 1;
    if (unit % options.look !== 0) continue;
    if (splitEvidenceLn(arms) >= Math.log(1 / SPLIT_ALPHA)) return true;
  }
  return false;
}

describe('splitEvidenceLn', () => {
  test('calls sound splits unsound in 1 of 1,000, however often it looks', () => {
    let alarms = 0;
    for (let run = 0; run < 200; run += 1) {
      const seed = `sound ${run}`;
      if (everFails([0.5, 0.3, 0.2], [0.5, 0.3, 0.2], { seed, units: 2000, look: 10 })) alarms += 1;
    }
    // Four or more of 200 have a chance below 1 in 15,000 at 1 in 1,000 each.
    expect(alarms).toBeLessThan(4);
  });

  test('finds an arm that loses a tenth of its units within 20,000', () => {
    const found = Array.from({ length: 20 }, (_, run) =>
      everFails([0.5, 0.5], [0.526, 0.474], { seed: `lost ${run}`, units: 20_000, look: 200 }),
    );
    expect(found.filter(Boolean).length).toBeGreaterThanOrEqual(19);
  });

  test('takes shares relative to one another, so that a dropped arm leaves a sound split', () => {
    const whole = [
      { share: 0.5, units: 500 },
      { share: 0.25, units: 250 },
    ];
    expect(splitEvidenceLn(whole)).toBeLessThan(0);
    expect(splitEvidenceLn([])).toBe(0);
    expect(splitEvidenceLn([{ share: 0.5, units: 90 }])).toBe(0);
  });
});
