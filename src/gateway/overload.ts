import { GatewayError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Resilience } from '../core/policy.ts';
import type { Client } from './client.ts';
import { type After, afterUnref } from './clock/after.ts';
import { AdaptiveLimit } from './targets/adaptive-limit.ts';
import { Gate } from './targets/gate.ts';

type OverloadPolicy = Resilience['overload'];

/** Bounds the calls in all, over every target: what protects the gateway itself. */
export interface Overload {
  /**
   * A place at once, or a promise of what the wait comes to: `gone` where the client left
   * meanwhile; it rejects with `overloaded` where the line is too long, or the wait was. Nobody
   * waits longer than the call has left.
   */
  enter(policy: OverloadPolicy, client: Client, left_ms: number): Place | Promise<Place | 'gone'>;
}

export interface Place {
  /**
   * The first byte has come, after so many times the usual; null where nothing is usual yet. An
   * adaptive limit bounds only calls without one, so that open streams keep nobody out.
   */
  answering(slowness: number | null): void;
  /** The call is over; may be said more than once. */
  leave(): void;
}

export interface OverloadDeps {
  readonly metrics: Metrics;
  monotonic_ms(): number;
  readonly after?: After;
}

export function createOverload(deps: OverloadDeps): Overload {
  const { metrics } = deps;
  const gate = new Gate(deps.after ?? afterUnref);
  const adaptive = new AdaptiveLimit();
  let told = 0;

  const takePlace = (policy: OverloadPolicy): Place => new HeldPlace(policy, gate, adaptive, deps);

  const queue = async (
    policy: OverloadPolicy,
    client: Client,
    places: number,
    left_ms: number,
  ): Promise<Place | 'gone'> => {
    const waiting = gate.wait({ ...policy, places }, left_ms);
    if (waiting === null) {
      metrics.add('hive_shed_total', ['queue_full']);
      throw full();
    }
    const begun_ms = deps.monotonic_ms();
    metrics.set('hive_queue_waiting', gate.waiting);
    const admitted = await client.unlessGone(waiting.admitted);
    metrics.set('hive_queue_waiting', gate.waiting);
    metrics.observe('hive_queue_seconds', (deps.monotonic_ms() - begun_ms) / 1000);
    if (admitted === true) return takePlace(policy);
    waiting.leave();
    metrics.set('hive_queue_waiting', gate.waiting);
    if (admitted === 'gone') return 'gone';
    metrics.add('hive_shed_total', ['deadline']);
    throw full();
  };

  return {
    enter(policy, client, left_ms) {
      const places = policy.in_flight === 'adaptive' ? adaptive.limit : policy.in_flight;
      if (places !== told) metrics.set('hive_in_flight_limit', places);
      told = places;
      return gate.enter(places) ? takePlace(policy) : queue(policy, client, places, left_ms);
    },
  };
}

function full(): GatewayError {
  return tooBusy('The gateway has as many calls in hand as it can take.');
}

/** Who is sent away for want of room may ask again soon. */
export function tooBusy(message: string): GatewayError {
  return new GatewayError('overloaded', message, { retry_after_s: RETRY_AFTER_S });
}

/** After which it is worth to ask again who had no room. */
export const RETRY_AFTER_S = 1;

class HeldPlace implements Place {
  readonly #policy: OverloadPolicy;
  readonly #gate: Gate;
  readonly #adaptive: AdaptiveLimit;
  readonly #deps: OverloadDeps;
  #placed = true;

  constructor(policy: OverloadPolicy, gate: Gate, adaptive: AdaptiveLimit, deps: OverloadDeps) {
    this.#policy = policy;
    this.#gate = gate;
    this.#adaptive = adaptive;
    this.#deps = deps;
  }

  answering(slowness: number | null): void {
    if (this.#policy.in_flight !== 'adaptive') return;
    if (slowness !== null && this.#placed) {
      const now_ms = this.#deps.monotonic_ms();
      this.#adaptive.observe('stream', slowness, this.#gate.taken, now_ms);
    }
    this.leave();
  }

  leave(): void {
    if (this.#placed) this.#gate.leave();
    this.#placed = false;
  }
}
