import { type AbEntry, treatmentsOf } from '../core/ab/entry.ts';
import type { AbRecord } from '../core/ab/record.ts';
import type { AbReport, AbVerdict } from '../core/ab/report.ts';
import { sameJson } from '../core/canonical.ts';

/** The transitions of a run: running → stopped, and both ⇄ removed with the policy. Pure. */

/** An experiment as the policy has it now. */
export interface WantedRun {
  readonly id: string;
  readonly name: string;
  readonly entry: AbEntry;
}

export function newRun({ id, name, entry }: WantedRun, at_ms: number): AbRecord {
  return {
    id,
    kind: 'ab',
    name,
    agent: entry.agent,
    state: 'running',
    epoch: 1,
    entry,
    started_ms: at_ms,
    stopped_ms: null,
    dropped: {},
    verdict: null,
    report: null,
    plan: null,
    no_plan: null,
  };
}

/**
 * A run that the policy has (again): what ended with a verdict stays so, what was only taken out
 * goes on where it was. Null where nothing changes.
 */
export function keptRun(record: AbRecord, wanted: WantedRun): AbRecord | null {
  const state = record.state !== 'removed' ? record.state : reopened(record);
  const epoch = state === record.state ? record.epoch : record.epoch + 1;
  const next = { ...record, state, epoch, entry: wanted.entry };
  return sameJson(next, record) ? null : next;
}

function reopened({ verdict }: AbRecord): AbRecord['state'] {
  return verdict === null ? 'running' : 'stopped';
}

export function removedRun(record: AbRecord, report: AbReport | null): AbRecord | null {
  if (record.state === 'removed') return null;
  const last = record.state === 'running' ? report : null;
  return { ...record, state: 'removed', epoch: record.epoch + 1, report: last ?? record.report };
}

export function stoppedRun(
  record: AbRecord,
  verdict: AbVerdict,
  report: AbReport | null,
  at_ms: number,
): AbRecord {
  const epoch = record.epoch + 1;
  return { ...record, state: 'stopped', epoch, stopped_ms: at_ms, verdict, report };
}

/** One arm less; the last treatment takes the experiment with it. */
export function droppedArm(record: AbRecord, arm: string, reason: string, at_ms: number): AbRecord {
  const dropped = { ...record.dropped, [arm]: reason };
  const left = treatmentsOf(record.entry).filter((name) => !Object.hasOwn(dropped, name));
  if (left.length > 0) return { ...record, dropped };
  const sentence = `${reason}; control is kept`;
  const verdict = { kind: 'harm', arm: null, sentence } as const;
  return stoppedRun({ ...record, dropped }, verdict, record.report, at_ms);
}
