import { createCanaryStream, type Decision, type UnitRow } from '../../src/lab/canary-stream.ts';
import { normal, seeded } from '../core/ope/worlds.ts';

/** What an arm of a simulated stream is like. */
export interface ArmWorld {
  readonly error: number;
  /** ln of the median latency in ms. */
  readonly latency_ln: number;
  /** Share of ratings that are ≤ 2. */
  readonly dissatisfied: number;
}

export interface StreamWorld {
  readonly share: number;
  readonly units: number;
  readonly a: ArmWorld;
  readonly b: ArmWorld;
  /** Mean requests a unit; their errors and latencies are correlated. 1 where absent. */
  readonly session?: number;
  /** In the middle fifth both arms have ten times the errors and three times the latency. */
  readonly incident?: boolean;
  /** Standard deviation of ln latency: 0.5 where absent; 1.5 has a heavy tail. */
  readonly spread?: number;
  /** Share of requests that are rated: 0.1 where absent. */
  readonly rated?: number;
}

export const USUAL: ArmWorld = { error: 0.02, latency_ln: 6, dissatisfied: 0.2 };

/** Rows of a world, half a second apart. */
export function* streamOf(world: StreamWorld, seed: number): Generator<UnitRow> {
  const random = seeded(Math.imul(seed, 0x9e3779b1));
  let at_ms = Date.UTC(2026, 0, 1);
  for (let unit = 0; unit < world.units; unit += 1) {
    const canary = random() < world.share;
    const middle = unit > 0.4 * world.units && unit < 0.6 * world.units;
    const arm = armAt(world, canary, world.incident === true && middle);
    for (const request of requestsOf(world, arm, random)) {
      at_ms += 500;
      yield { ...request, time: new Date(at_ms).toISOString(), at_ms, canary, unit: `u${unit}` };
    }
  }
}

function armAt({ a, b }: StreamWorld, canary: boolean, incident: boolean): ArmWorld {
  const arm = canary ? b : a;
  if (!incident) return arm;
  const error = Math.min(1, arm.error * 10);
  return { ...arm, error, latency_ln: arm.latency_ln + Math.log(3) };
}

type Request = Pick<UnitRow, 'ok' | 'latency_ms' | 'rating'>;

/** What a unit's requests come to: of a session, most fail or none does. */
function requestsOf(world: StreamWorld, arm: ArmWorld, random: () => number): Request[] {
  const fails = random() < arm.error;
  const mood = normal(random);
  const { session, spread = 0.5, rated = 0.1 } = world;
  const count = session ? 1 + Math.floor(random() * (2 * session - 1)) : 1;
  return Array.from({ length: count }, () => {
    const own = session ? 0.7 * mood + 0.7 * normal(random) : mood;
    const failed = session ? random() < (fails ? 0.7 : arm.error * 0.1) : fails;
    const bad = random() < arm.dissatisfied;
    const rating = random() < rated ? (bad ? 1 : 4) : null;
    return { ok: !failed, latency_ms: Math.exp(arm.latency_ln + spread * own), rating };
  });
}

export interface Life {
  readonly last: Decision;
  /** Units of b until the decision. */
  readonly canary_units: number;
}

/** Looks at every row, as the lab does, until something is decided. */
export function lifeOf(world: StreamWorld, seed: number): Life {
  const judge = createCanaryStream({ share: world.share, units_min: 150, days_max: 14 });
  const units = new Set<string>();
  let last: Decision = { decision: 'continue', reason: 'no rows' };
  for (const row of streamOf(world, seed)) {
    if (row.canary) units.add(row.unit);
    last = judge(row);
    if (last.decision !== 'continue') break;
  }
  return { last, canary_units: units.size };
}

export function livesOf(world: StreamWorld, runs: number, seed: number): readonly Life[] {
  return Array.from({ length: runs }, (_, run) => lifeOf(world, seed + run));
}

export function count(lives: readonly Life[], decision: Decision['decision']): number {
  return lives.filter(({ last }) => last.decision === decision).length;
}

export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}
