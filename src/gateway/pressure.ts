import { getHeapStatistics } from 'node:v8';

/** Whether this process has too little memory left to take another call. */
export interface Pressure {
  readonly high: boolean;
  close(): void;
}

/** Shares of the heap: from the first on calls are refused, below the second no more. */
const REFUSE_FROM = 0.92;
const TAKE_BELOW = 0.85;
const LOOK_MS = 250;

/** The share of its limit that the JavaScript heap takes, uncollected garbage included. */
export function heapShare(): number {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return used_heap_size / heap_size_limit;
}

/**
 * Watches memory, so that a gateway which nears its end refuses new calls while those under way
 * end, instead of taking all of them along. `share` is looked at every 250 ms and at the start.
 */
export function watchPressure(share: () => number = heapShare, every_ms = LOOK_MS): Pressure {
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
