import { type AbEntry, CONTROL_ARM } from './entry.ts';
import type { AbReport, AbVerdict } from './report.ts';

/**
 * A run of an A/B experiment as the ledger holds it, beside the canaries' records: whole, so that
 * writing it twice changes nothing. Times are policy milliseconds; null means "not yet".
 */
export interface AbRecord {
  /** The run: `<name>@<digest>`. */
  readonly id: string;
  readonly kind: 'ab';
  readonly name: string;
  readonly agent: string;
  /** `removed`: no longer in the policy. A verdict stays also then. */
  readonly state: 'running' | 'stopped' | 'removed';
  /** Grows at each transition: a permit of a lower epoch is void. */
  readonly epoch: number;
  /** As the policy had it last. */
  readonly entry: AbEntry;
  readonly started_ms: number;
  readonly stopped_ms: number | null;
  /** Arms that are served no more, and why. */
  readonly dropped: Readonly<Record<string, string>>;
  readonly verdict: AbVerdict | null;
  /** What it had come to when it stopped. */
  readonly report: AbReport | null;
  /** The plan of the winner, where one was asked for; or why there is none. */
  readonly plan: string | null;
  readonly no_plan: string | null;
}

/** Agents that an experiment serves otherwise than the policy alone would, with its name. */
export function agentsInAb(records: readonly AbRecord[] = []): Readonly<Record<string, string>> {
  const serving = records.filter(
    ({ state, entry }) =>
      state === 'running' || (state === 'stopped' && entry.on_stop !== CONTROL_ARM),
  );
  return Object.fromEntries(serving.map(({ agent, name }) => [agent, name]));
}
