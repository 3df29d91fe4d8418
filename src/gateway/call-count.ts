import type { Metrics } from '../core/metrics.ts';

/** Calls under way, the writing of their records included. */
export interface CallCount {
  open(): number;
  begin(): void;
  end(): void;
}

export function countCalls(metrics: Metrics): CallCount {
  let open = 0;
  return {
    open: () => open,
    begin: () => metrics.set('hive_calls_open', ++open),
    end: () => metrics.set('hive_calls_open', --open),
  };
}
