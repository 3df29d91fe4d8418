import type { CallEvent } from '../event.ts';
import type { SignalMetric } from '../observation.ts';

/** Metrics that an event says have happened: to its own unit, and to the unit of its parent. */
export interface SignalMetricsOf {
  readonly own: readonly SignalMetric[];
  /** Against the call of `event.parent`: the answer that was repeated, corrected or continued. */
  readonly parent: readonly SignalMetric[];
}

const NOTHING: SignalMetricsOf = { own: [], parent: [] };

/**
 * Which metrics a call's record counts for, each at most once. `complaint` and `accepted` are said
 * by people, so they come from feedback and never from here. Calls that no client made say nothing:
 * the oracle must not learn from itself. A retry is laid to the call that failed; where that is not
 * known, to the unit that had to try again.
 */
export function signalMetricsOf(event: CallEvent): SignalMetricsOf {
  const { signals, relation } = event;
  if (event.origin !== 'client') return NOTHING;
  if (signals === undefined && relation === null) return NOTHING;
  const own: SignalMetric[] = [];
  const parent: SignalMetric[] = [];
  if (signals?.schema !== undefined) own.push('schema_violation');
  if (signals?.refusal !== undefined) own.push('refusal');
  if (signals?.language !== undefined) own.push('language_mismatch');
  if (signals?.length !== undefined) own.push('length_outlier');
  if (relation === 'retry') (event.parent === null ? own : parent).push('retry');
  if (event.parent === null) return { own, parent };
  if (relation === 'regeneration') parent.push('regeneration');
  if (relation === 'turn') addFollowUp(event, parent);
  return { own, parent };
}

function addFollowUp({ follow_up }: CallEvent, parent: SignalMetric[]): void {
  if (follow_up === undefined) return;
  if (follow_up.reask) parent.push('reask');
  if (follow_up.correction) parent.push('correction');
  if ((follow_up.tool_failures ?? 0) > 0) parent.push('tool_failure');
  if (follow_up.class !== 'none') parent.push(follow_up.class);
}
