/**
 * The product's two clocks (DESIGN §3).
 *
 * `monotonic_ms` guards real processes: latency, timeouts, retries, breakers, heartbeats, permits.
 * `policy_ms` is what the policy's minutes and hours are measured in: event times, windows,
 * cooldowns, maturity. Under `HIVE_TIME_SCALE` it runs faster than the wall, so that hours of a
 * canary can be lived through in seconds by the same code.
 */
export interface Clock {
  monotonic_ms(): number;
  wall_ms(): number;
  policy_ms(): number;
  readonly origin: ClockOrigin;
}

/** Written once to `DATA/clock.json`; every process of a data directory shares it. */
export interface ClockOrigin {
  readonly origin_ms: number;
  readonly scale: number;
}

export interface TimeSource {
  monotonic_ms(): number;
  wall_ms(): number;
}

export const systemTime: TimeSource = {
  monotonic_ms: () => performance.now(),
  wall_ms: () => Date.now(),
};

export function createClock(origin: ClockOrigin, source: TimeSource = systemTime): Clock {
  return {
    monotonic_ms: () => source.monotonic_ms(),
    wall_ms: () => source.wall_ms(),
    policy_ms: () => policyTime(origin, source.wall_ms()),
    origin,
  };
}

/** Policy milliseconds of a wall time: origin + (wall − origin) × scale, a whole number. */
export function policyTime(origin: ClockOrigin, wall_ms: number): number {
  return Math.round(origin.origin_ms + (wall_ms - origin.origin_ms) * origin.scale);
}

/** Real milliseconds that a span of policy time lasts; at least `least_ms`, so no loop spins. */
export function realDuration(origin: ClockOrigin, policy_ms: number, least_ms = 0): number {
  return Math.max(least_ms, policy_ms / origin.scale);
}
