import { getHeapStatistics } from 'node:v8';
import { containerLimit, containerShare } from './container-memory.ts';

/** Whether this process has too little memory left to take another call. */
export interface Pressure {
  readonly high: boolean;
  close(): void;
}

/** Shares of memory: from the first on calls are refused, below the second no more. */
const REFUSE_FROM = 0.92;
const TAKE_BELOW = 0.85;
const LOOK_MS = 250;

/** The share of its limit that the JavaScript heap takes, uncollected garbage included. */
export function heapShare(): number {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return used_heap_size / heap_size_limit;
}

/**
 * The larger of the heap's share and the container's. V8 sizes its heap by the container's limit,
 * as half of it, but never below 256 MiB; what lies outside the heap, bodies and events above all,
 * and what other processes take it does not know. `gateways` share the container.
 */
export function memoryShare(gateways = 1, limit_bytes = containerLimit()): () => number {
  if (limit_bytes === null) return heapShare;
  const ofContainer = containerShare({ limit_bytes, gateways });
  return () => Math.max(heapShare(), ofContainer());
}

/**
 * Watches memory, so that a gateway which nears its end refuses new calls while those under way
 * end, instead of taking all of them along. `share` is looked at every 250 ms and at the start.
 */
export function watchPressure(share: () => number = memoryShare(), every_ms = LOOK_MS): Pressure {
  let high = false;
  const look = (): void => {
    high = share() >= (high ? TAKE_BELOW : REFUSE_FROM);
  };
  look();
  const timer = setInterval(look, every_ms).unref();
  return {
    get high() {
      return high;
    },
    close: () => clearInterval(timer),
  };
}
