import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canary } from '../../src/lab/canary.ts';
import { count, livesOf, quantile, streamOf, USUAL } from './canary-kit.ts';
import { jsonLines, runOn } from './lab-kit.ts';

interface Line {
  readonly time: string;
  readonly decision: string;
  readonly reason: string;
}

async function decide(rows: readonly unknown[], flags = {}): Promise<readonly Line[]> {
  const { out, code } = await runOn(canary, { units: 'u', ...flags }, { u: jsonLines(rows) });
  expect(code).toBe(0);
  return out.map((line) => JSON.parse(line) as Line);
}

function fileRows(world: Parameters<typeof streamOf>[0], seed: number) {
  return [...streamOf(world, seed)].map(({ time, canary: b, unit, ok, latency_ms, rating }) => ({
    time,
    arm: b ? 'b' : 'a',
    unit,
    ok: ok ? 1 : 0,
    latency_ms,
    ...(rating === null ? {} : { rating }),
  }));
}

const even = { share: 0.5, units: 400, a: USUAL, b: USUAL };

describe('hive lab canary', () => {
  test("canary gives a line a row, with the row's time", async () => {
    const rows = fileRows({ ...even, units: 50 }, 1);
    const lines = await decide(rows, { share: '0.5' });
    expect(lines.map(({ time }) => time)).toEqual(rows.map(({ time }) => time));
    expect(lines.at(-1)?.decision).toBe('continue');
  });

  test('canary decides a prefix as it does the whole, and takes no decision back', async () => {
    const arm = fc.constantFrom('a', 'b');
    const row = fc.record({
      arm,
      unit: fc.nat({ max: 60 }).map((n) => `u${n}`),
      ok: fc.constantFrom(0, 1),
      latency_ms: fc.option(fc.nat({ max: 3000 }), { nil: undefined }),
      rating: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      gap_ms: fc.nat({ max: 3_600_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 120 }), fc.nat(120), async (parts, cut) => {
        let at = Date.UTC(2026, 0, 1);
        const rows = parts.map(({ gap_ms, ...rest }) => {
          at += gap_ms;
          return { time: new Date(at).toISOString(), ...rest };
        });
        const whole = await decide(rows, { share: '0.5', 'days-max': '1' });
        expect(await decide(rows.slice(0, cut), { share: '0.5', 'days-max': '1' })).toEqual(
          whole.slice(0, cut),
        );
        const first = whole.findIndex(({ decision }) => decision !== 'continue');
        if (first < 0) return;
        const kept = whole.slice(first).map(({ decision, reason }) => ({ decision, reason }));
        expect(new Set(kept.map((one) => JSON.stringify(one))).size).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  test('canary tells odd rows by line: another arm, a time that goes back, a repeat', async () => {
    const row = (unit: string, arm: string, second: number) => ({
      time: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
      unit,
      arm,
      ok: 1,
    });
    const rows = [row('u', 'a', 1), row('u', 'b', 2), row('v', 'b', 1), row('v', 'b', 1)];
    const bad = [{ ...row('w', 'c', 3) }, { time: rows[0]?.time, arm: 'a', unit: 'w' }];
    const { out, err } = await runOn(canary, { units: 'u' }, { u: jsonLines([...rows, ...bad]) });
    expect(out.length).toBe(4);
    expect(err).toEqual([
      'u:2: unit "u" was in arm a: counted there',
      'u:3: its time is before that of a row above: counted as it comes',
      'u:4: its time is before that of a row above: counted as it comes',
      'u:4: the same as the row before: a unit counts once a metric',
      'u:5: arm is neither "a" nor "b"; the row is left out',
      'u:6: ok is neither 0 nor 1; the row is left out',
    ]);
  });

  test('canary counts a unit once, however often it fails', async () => {
    const rows = fileRows({ ...even, units: 300 }, 3);
    const failing = rows.find(({ arm }) => arm === 'b');
    const again = Array.from({ length: 200 }, () => ({ ...failing, ok: 0 }));
    const lines = await decide([...rows, ...again], { share: '0.5' });
    expect(lines.at(-1)?.decision).toBe('continue');
  });

  test('canary holds while b has more units than its share', async () => {
    const bad = { ...USUAL, error: 0.5 };
    const lines = await decide(fileRows({ ...even, b: bad }, 4));
    expect(lines.at(-1)).toMatchObject({ decision: 'continue' });
    expect(lines.at(-1)?.reason).toContain('units are in b, not 5 %');
    expect(
      (await decide(fileRows({ ...even, b: bad }, 4), { share: '0.5' })).at(-1)?.decision,
    ).toBe('revert');
  });

  test('canary reverts where b falls silent, and not where it has not begun', async () => {
    const row = (arm: string, unit: number) => ({
      time: new Date(Date.UTC(2026, 0, 1) + unit * 10_000).toISOString(),
      arm,
      unit: `u${unit}`,
      ok: 1,
    });
    const control = Array.from({ length: 400 }, (_, unit) => row('a', unit + 1));
    expect((await decide(control)).at(-1)?.decision).toBe('continue');
    const last = (await decide([row('b', 0), ...control])).at(-1);
    expect(last?.reason).toContain('no row of b for 30 minutes');
    expect(last?.decision).toBe('revert');
  });

  test('canary is inconclusive after days_max, and stays so', async () => {
    const rows = fileRows({ ...even, units: 40 }, 5);
    const late = { ...rows[0], time: '2026-03-01T00:00:00Z' };
    const bad = Array.from({ length: 50 }, (_, at) => ({
      ...late,
      arm: 'b',
      unit: `x${at}`,
      ok: 0,
    }));
    const lines = await decide([...rows, late, ...bad], { share: '0.5' });
    expect(lines.at(-1)).toMatchObject({ decision: 'inconclusive' });
    expect(lines.at(-1)?.reason).toContain('undecided after 14 days');
  });

  test('canary leaves bad rows out and names them by line', async () => {
    const text = '{"time":"x"}\n{"time":"2026-01-01T00:00:00Z","arm":"c"}\n';
    const { out, err } = await runOn(canary, { units: 'u' }, { u: text });
    expect(out).toEqual([]);
    expect(err[0]).toBe('u:1: time "x" is no RFC 3339 time; the row is left out');
    expect(err[1]).toContain('u:2: arm is neither');
  });

  test('canary of a file without a row that can be read says so', async () => {
    for (const text of ['', 'no JSON\n']) {
      const { code, out, err } = await runOn(canary, { units: 'u' }, { u: text });
      expect([code, out]).toEqual([0, []]);
      expect(err.at(-1)).toBe('u has no row that can be read: nothing is decided');
    }
  });
});

/** Short versions of test/slow/canary-figures.test.ts. */
describe('the decisions', () => {
  const screen = { share: 0.05, units: 3000, a: USUAL, b: USUAL };

  test('canary at 15 % errors against 2 % is reverted within 25 units, mostly within 60', () => {
    const lives = livesOf({ ...screen, b: { ...USUAL, error: 0.15 } }, 150, 100);
    expect(count(lives, 'revert')).toBe(150);
    const units = lives.map(({ canary_units }) => canary_units);
    expect(quantile(units, 0.5)).toBeLessThanOrEqual(27);
    expect(quantile(units, 0.9)).toBeLessThanOrEqual(66);
  });

  test('canary that is no worse is seldom reverted, in a heavy-tailed incident too', () => {
    const lives = livesOf({ ...screen, incident: true, spread: 1.5 }, 100, 300);
    expect(count(lives, 'revert')).toBeLessThanOrEqual(8);
    expect(count(lives, 'promote')).toBeLessThanOrEqual(2);
  });

  test('canary whose latency is 50 % higher as a whole is reverted', () => {
    const lives = livesOf({ ...screen, b: { ...USUAL, latency_ln: 6.4 } }, 40, 500);
    expect(count(lives, 'revert')).toBeGreaterThanOrEqual(38);
  });

  test('canary with fewer errors is promoted, and not where it is slower', () => {
    const a = { ...USUAL, error: 0.3 };
    const better = livesOf({ ...screen, share: 0.3, a }, 40, 700);
    expect(count(better, 'promote')).toBeGreaterThanOrEqual(36);
    const slower = { ...USUAL, latency_ln: 6.4 };
    expect(count(livesOf({ ...screen, share: 0.3, a, b: slower }, 40, 700), 'promote')).toBe(0);
  });
});
