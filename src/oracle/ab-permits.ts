import { armKey, CONTROL_ARM } from '../core/ab/entry.ts';
import { PERMIT_TTL_MS, type Permit } from '../core/state.ts';
import { canariesOf, type LedgerView } from './records.ts';

/**
 * Permits for the arms of running experiments. One whose agent has a canary rests meanwhile: the
 * canary was there first, or was put there by a person; two at once could not be told apart.
 */
export function abPermits(view: LedgerView): readonly Permit[] {
  const canaries = new Set(canariesOf(view).map(({ experiment }) => experiment.agent));
  return (view.ab ?? []).flatMap(({ id, state, agent, epoch, entry, dropped }) => {
    if (state !== 'running' || canaries.has(agent)) return [];
    return Object.entries(entry.arms).flatMap(([arm, { share }]) => {
      if (arm === CONTROL_ARM || Object.hasOwn(dropped, arm)) return [];
      return [{ experiment: armKey(id, arm), epoch, share, ttl_ms: PERMIT_TTL_MS }];
    });
  });
}
