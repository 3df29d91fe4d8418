import type { Metrics } from '../../core/metrics.ts';
import {
  errorRate,
  firstByteOf,
  type LiveFigures,
  SIZES,
} from '../../core/routing/live-figures.ts';
import type { FirstByteBySize, TargetLately, TargetReport } from '../../core/state.ts';
import type { Headroom } from './headroom.ts';

interface Watched {
  readonly figures: LiveFigures;
  readonly headroom: Headroom;
  readonly limited_ms: number;
}

/** How a target has done of late, for `/status`: made once a second, and not by calls. */
export function figuresReport(
  { figures, headroom, limited_ms }: Watched,
  now_ms: number,
): { readonly lately: TargetLately } {
  const fresh = headroom.fresh(now_ms);
  return {
    lately: {
      first_byte_ms: { stream: bySize(figures, true), whole: bySize(figures, false) },
      error_rate: rounded(errorRate(figures, now_ms)) ?? 0,
      headroom: limited_ms > 0 ? 0 : rounded(headroom.share(now_ms)),
      requests_left: fresh ? known(headroom.requests) : null,
      tokens_left: fresh ? known(headroom.tokens) : null,
      cost_usd: known(figures.cost_usd),
      tokens_out: rounded(known(figures.tokens_out)),
    },
  };
}

/** The same as gauges; what is not known is no zero, and is left out. */
export function recordTargets(
  metrics: Metrics,
  targets: Readonly<Record<string, TargetReport>>,
): void {
  for (const [name, { in_flight, queue, lately }] of Object.entries(targets)) {
    metrics.set('hive_target_in_flight', in_flight, [name]);
    metrics.set('hive_target_queue_waiting', queue ?? 0, [name]);
    if (!lately) continue;
    metrics.set('hive_target_error_rate', lately.error_rate, [name]);
    // An old refusal must not look like one of now: who says nothing does not limit us.
    metrics.set('hive_target_headroom', lately.headroom ?? 1, [name]);
    if (lately.cost_usd !== null) metrics.set('hive_target_cost_usd', lately.cost_usd, [name]);
    for (const size of SIZES) {
      const ms = lately.first_byte_ms.stream[size];
      if (ms !== null) metrics.set('hive_target_first_byte_seconds', ms / 1000, [name, size]);
    }
  }
}

function bySize(figures: LiveFigures, streamed: boolean): FirstByteBySize {
  const [small, medium, large, all] = [0, 1, 2, SIZES.length].map((size) =>
    rounded(firstByteOf(figures, streamed, size)),
  );
  return { small: small ?? null, medium: medium ?? null, large: large ?? null, all: all ?? null };
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** Three decimals are more than a moving mean is worth. */
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}
