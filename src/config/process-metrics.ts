import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Metrics } from '../core/metrics.ts';

/** How a process is: kept in its metrics until closed. */
export interface ProcessWatch {
  /** Measures now; the interval does it each second. */
  measure(): void;
  close(): void;
}

const EVERY_MS = 1000;
/** How often the loop is looked at: a shorter delay is not seen, a finer look costs wake-ups. */
const RESOLUTION_MS = 20;

/**
 * Watches the event loop, heap and memory of this process. Delays are told as the longest of each
 * second, so that those of several processes add up to one distribution; memory adds up as it is.
 */
export function watchProcess(metrics: Metrics, kind: 'gateway' | 'worker'): ProcessWatch {
  const labels = [kind];
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const measure = (): void => {
    if (delays.count > 0) {
      // What is recorded is the time between two looks.
      const delay_s = Math.max(0, delays.max / 1e9 - RESOLUTION_MS / 1000);
      metrics.observe('hive_event_loop_delay_seconds', delay_s, labels);
      delays.reset();
    }
    metrics.set('hive_heap_used_bytes', getHeapStatistics().used_heap_size, labels);
    metrics.set('hive_resident_memory_bytes', process.memoryUsage.rss(), labels);
  };
  const timer = setInterval(measure, EVERY_MS);
  timer.unref();
  return {
    measure,
    close() {
      clearInterval(timer);
      delays.disable();
    },
  };
}
