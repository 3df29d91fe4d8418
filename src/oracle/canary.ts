import type { Judgement } from '../core/canary.ts';
import type { ExperimentRecord, MutationRecord } from '../core/ledger.ts';

/** A mutation row together with its experiment: the two change as one. */
export interface Canary {
  readonly row: MutationRecord;
  readonly experiment: ExperimentRecord;
}

export type Step =
  | { readonly kind: 'ramp'; readonly share: number }
  | { readonly kind: 'expire'; readonly reason: string }
  | {
      readonly kind: 'pause';
      readonly by: 'feedback_off' | 'hold';
      readonly reason: string;
      readonly withheld?: string;
    }
  | { readonly kind: 'resume' }
  | { readonly kind: 'promote'; readonly reason: string }
  | { readonly kind: 'withdraw'; readonly reason: string }
  | { readonly kind: 'supersede'; readonly reason: string };

const DAY_MS = 86_400_000;
const EXPIRIES_MAX = 3;

/** Removes `rollback_`'s twin from an id: `mut_<uuid>` names `exp_<uuid>` and `rollback_<uuid>`. */
export function siblingId(mutation: string, kind: 'exp' | 'rollback'): string {
  return `${kind}_${mutation.replace(/^mut_/, '')}`;
}

/**
 * The next state of a canary, or null where the step is not one of its state: planned → canary ⇄
 * paused → applied → withdrawn. Every transition raises the experiment's epoch, which voids the
 * permits of the state before. Pure.
 */
export function stepCanary(canary: Canary, step: Step, at_ms: number): Canary | null {
  const { state } = canary.experiment;
  if (state !== 'canary' && state !== 'paused') return null;
  switch (step.kind) {
    case 'ramp':
      if (state !== 'canary') return null;
      return moved(canary, 'canary', null, { share: step.share, share_since_ms: at_ms });
    case 'expire':
      return state === 'canary' ? expired(canary, step.reason, at_ms) : null;
    case 'pause':
      if (state === 'paused' && canary.experiment.paused_by === step.by) return null;
      return moved(canary, 'paused', step.reason, {
        state: 'paused',
        paused_ms: canary.experiment.paused_ms ?? at_ms,
        paused_by: step.by,
        withheld: step.withheld ?? canary.experiment.withheld,
      });
    case 'resume':
      return state === 'paused' ? resumed(canary, at_ms) : null;
    case 'promote': {
      if (state !== 'canary') return null;
      const next = moved(canary, 'applied', step.reason, { state: 'promoted', ended_ms: at_ms });
      return { ...next, row: { ...next.row, applied_ms: at_ms } };
    }
    case 'withdraw':
      return ended(canary, 'withdrawn', step.reason, at_ms);
    case 'supersede':
      return ended(canary, 'superseded', step.reason, at_ms);
  }
}

function expired(canary: Canary, reason: string, at_ms: number): Canary {
  const recent = canary.experiment.expiries_ms.filter((expiry) => expiry > at_ms - DAY_MS);
  const expiries_ms = [...recent, at_ms];
  if (expiries_ms.length >= EXPIRIES_MAX) {
    const why = `the permit expired ${expiries_ms.length} times within 24 hours`;
    const last = ended(canary, 'withdrawn', why, at_ms);
    return { ...last, experiment: { ...last.experiment, expiries_ms } };
  }
  return moved(canary, 'paused', reason, {
    state: 'paused',
    paused_ms: at_ms,
    paused_by: 'expired',
    expiries_ms,
  });
}

/** The time paused is no time of the canary. */
function resumed(canary: Canary, at_ms: number): Canary {
  const { paused_ms, paused_total_ms, share_since_ms } = canary.experiment;
  const span_ms = Math.max(0, at_ms - (paused_ms ?? at_ms));
  return moved(canary, 'canary', null, {
    state: 'canary',
    paused_ms: null,
    paused_by: null,
    withheld: null,
    paused_total_ms: paused_total_ms + span_ms,
    share_since_ms: share_since_ms + span_ms,
  });
}

function ended(
  canary: Canary,
  state: 'withdrawn' | 'superseded',
  reason: string,
  at_ms: number,
): Canary {
  const next = moved(canary, state, reason, { state: 'withdrawn', ended_ms: at_ms });
  return { ...next, row: { ...next.row, ended_ms: at_ms } };
}

function moved(
  { row, experiment }: Canary,
  state: MutationRecord['state'],
  reason: string | null,
  change: Partial<ExperimentRecord>,
): Canary {
  return {
    row: { ...row, state, reason },
    experiment: { ...experiment, ...change, epoch: experiment.epoch + 1 },
  };
}

/** The step that a judgement asks of a canary in its state, or null. Pure. */
export function stepFor(
  { experiment }: Canary,
  judgement: Judgement,
  now: { readonly at_ms: number; readonly frozen: boolean; readonly feedback_loop: boolean },
): Step | null {
  const { action, reason } = judgement;
  // A hold waits for a person: with auto_rollback off nothing else may end it.
  if (experiment.paused_by === 'hold') return null;
  if (action === 'revert' || action === 'inconclusive') return { kind: 'withdraw', reason };
  if (action === 'hold') return { kind: 'pause', by: 'hold', reason };
  if (experiment.state === 'paused') {
    return now.frozen || !now.feedback_loop ? null : { kind: 'resume' };
  }
  if (!now.feedback_loop) {
    return { kind: 'pause', by: 'feedback_off', reason: 'FEEDBACK_LOOP_ENABLED=false' };
  }
  if (now.frozen) return null;
  if (action === 'promote') return { kind: 'promote', reason };
  if (action === 'ramp' && judgement.share !== undefined) {
    return { kind: 'ramp', share: judgement.share };
  }
  return null;
}
