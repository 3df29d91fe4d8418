import { describe, expect, test } from 'vitest';
import {
  type Arm,
  type CanaryStats,
  type Cell,
  type Judgement,
  MATURITY_MS,
} from '../../src/core/canary.ts';
import { judge } from '../../src/oracle/monitor.ts';
import { statsOf } from './canary-stats.ts';
import { withSafety } from './kit.ts';

/** mulberry32: a small seeded generator. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface World {
  readonly seed: number;
  readonly control: number;
  readonly canary: number;
  readonly ratedShare: number;
  readonly unitsMax: number;
  /** What was seen at its worst recovers by itself: the rates' half-life. */
  readonly half_life_ms?: number;
}

interface Life {
  readonly end: Judgement['action'] | 'running';
  readonly units: number;
  readonly shares: readonly number[];
}

type CountedCell = { -readonly [Key in keyof Cell]: Cell[Key] };
type Cells = Map<string, CountedCell>;
const TICK_MS = 5 * 60_000;
const UNITS_A_TICK = 40;

/** What the test has seen of a canary so far. */
interface Seen {
  readonly cells: Cells;
  readonly maturing: { at_ms: number; cell: CountedCell }[];
  canary_last_ms: number | null;
  control_units_since: number;
}

/** One canary's life: units come once each, 40 a tick of five minutes, judged at every tick. */
function live(world: World): Life {
  const policy = withSafety({ canary: { units_min: 60, step: { minutes: 10, units: 10 } } });
  const random = seeded(world.seed + 1);
  const seen: Seen = {
    cells: new Map(),
    maturing: [],
    canary_last_ms: null,
    control_units_since: 0,
  };
  const shares = [policy.oracle.safety.canary.share];
  let share_since_ms = 0;
  let evidence_max: CanaryStats['evidence_max'] = {};
  for (let at_ms = 0; at_ms * UNITS_A_TICK < world.unitsMax * TICK_MS; at_ms += TICK_MS) {
    const share = shares.at(-1) ?? 0;
    arrive(seen, world, share, at_ms, random);
    const stats = { ...seenAs(seen, share), started_ms: 0, share_since_ms, evidence_max };
    const judgement = judge(statsOf(stats), policy, at_ms);
    evidence_max = judgement.harm;
    if (judgement.action === 'ramp' && judgement.share !== undefined) {
      share_since_ms = at_ms;
      shares.push(judgement.share);
    } else if (judgement.action !== 'continue') {
      return { end: judgement.action, units: (at_ms / TICK_MS + 1) * UNITS_A_TICK, shares };
    }
  }
  return { end: 'running', units: world.unitsMax, shares };
}

function arrive(
  seen: Seen,
  world: World,
  share: number,
  at_ms: number,
  random: () => number,
): void {
  for (let unit = 0; unit < UNITS_A_TICK; unit += 1) {
    const arm: Arm = random() < share ? 'canary' : 'control';
    seen.control_units_since = arm === 'canary' ? 0 : seen.control_units_since + 1;
    if (arm === 'canary') seen.canary_last_ms = at_ms;
    for (const metric of metricsOf(world, arm, at_ms, random)) {
      seen.maturing.push({ at_ms, cell: count(seen.cells, metric, share, arm) });
    }
  }
  const matured = seen.maturing.findIndex((one) => one.at_ms > at_ms - MATURITY_MS);
  for (const { cell } of seen.maturing.splice(0, matured)) cell.matured += 1;
}

function seenAs(seen: Seen, share: number): Partial<CanaryStats> {
  const cells = [...seen.cells.values()];
  const served = cells.filter((one) => one.metric === 'assigned' && one.arm === 'canary');
  return {
    share,
    cells,
    canary_last_ms: seen.canary_last_ms,
    control_units_since: seen.control_units_since,
    canary_units: served.reduce((sum, { units }) => sum + units, 0),
    canary_units_at_share: served.find((one) => one.share === share)?.units ?? 0,
  };
}

/** What one unit shows: whether it rates, is dissatisfied, has an error (2 % in both arms). */
function metricsOf(
  world: World,
  arm: Arm,
  at_ms: number,
  random: () => number,
): readonly Cell['metric'][] {
  const rate = world[arm] * 0.5 ** (at_ms / (world.half_life_ms ?? Number.POSITIVE_INFINITY));
  const metrics: Cell['metric'][] = ['assigned'];
  const rates = random() < world.ratedShare;
  if (rates) metrics.push('rated');
  if (rates && random() < rate) metrics.push('dissatisfied');
  if (random() < 0.02) metrics.push('error');
  return metrics;
}

function count(cells: Cells, metric: Cell['metric'], share: number, arm: Arm): CountedCell {
  const key = `${metric}/${share}/${arm}`;
  const found = cells.get(key) ?? { metric, share, arm, units: 0, matured: 0 };
  found.units += 1;
  cells.set(key, found);
  return found;
}

function ends(world: Omit<World, 'seed'>, runs: number): readonly Life[] {
  return Array.from({ length: runs }, (_, seed) => live({ ...world, seed }));
}

describe('a canary’s life, simulated', () => {
  test('a bad canary is reverted within a few units and never promoted', () => {
    const lives = ends({ control: 0.05, canary: 0.9, ratedShare: 0.8, unitsMax: 4000 }, 40);
    expect(lives.map(({ end }) => end)).toEqual(lives.map(() => 'revert'));
    expect(Math.max(...lives.map(({ units }) => units))).toBeLessThan(1000);
  });

  test('a good canary is ramped step by step and promoted', () => {
    const lives = ends({ control: 0.9, canary: 0.05, ratedShare: 0.8, unitsMax: 6000 }, 40);
    const promoted = lives.filter(({ end }) => end === 'promote');
    expect(promoted.length).toBeGreaterThanOrEqual(38);
    expect(promoted[0]?.shares).toEqual([0.05, 0.1, 0.25, 0.5]);
  });

  test('a canary that changes nothing is rarely reverted and hardly ever promoted', () => {
    const lives = ends({ control: 0.3, canary: 0.3, ratedShare: 0.8, unitsMax: 3000 }, 100);
    const reverted = lives.filter(({ end }) => end === 'revert').length;
    // α is 5 % for each metric of harm; two of them have events here.
    expect(reverted).toBeLessThanOrEqual(10);
    expect(lives.filter(({ end }) => end === 'promote').length).toBeLessThanOrEqual(1);
  });

  test('a canary that changes nothing earns no praise for what recovers by itself', () => {
    // Picked at its worst, 60 % dissatisfied falls to 15 % within the trial, in both arms alike.
    const half_life_ms = (1500 / UNITS_A_TICK) * TICK_MS;
    const world = { control: 0.6, canary: 0.6, ratedShare: 0.8, unitsMax: 3000, half_life_ms };
    const lives = ends(world, 100);
    expect(lives.filter(({ end }) => end === 'promote').length).toBeLessThanOrEqual(1);
    expect(lives.filter(({ end }) => end === 'revert').length).toBeLessThanOrEqual(10);
  });
});
