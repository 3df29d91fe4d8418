import { messageOf } from '../../core/errors.ts';
import type { Accept, ShortOfMemory } from '../accept.ts';
import { type After, afterUnref } from '../clock/after.ts';
import type { CallDeps } from '../conclude.ts';
import { createStage, type Stage } from './stage.ts';

/**
 * After a few milliseconds without a call the processor's caches hold little of its code any more,
 * and the next one takes twice as long. So while calls come, but seldom, one is rehearsed now and
 * then (docs/decisions/0017).
 */
export interface Rehearsals {
  /** The same, and it is noticed that a call came. */
  before(accept: Accept): Accept;
  close(): void;
}

/** After twice as long a rest, half of what is to be gained is lost. */
const EVERY_MS = 3;
/** How long after the last call the path is kept warm. */
const KEPT_MS = 300;
/**
 * So many more calls must have come after a rest than right behind another: where all come in a
 * crowd, none is cold, and the stage is better not set up at all, since V8 makes faster code where
 * there is one gateway.
 */
const SELDOM_MIN = 3;
/** Of which no more are counted: in a crowd it is soon known that it is one. */
const SELDOM_MAX = 10;

export function createRehearsals(
  deps: CallDeps,
  pressure: ShortOfMemory,
  after: After = afterUnref,
): Rehearsals {
  const { rehearsed } = deps;
  if (rehearsed === undefined) return { before: (accept) => accept, close() {} };
  let stage: Stage | null = null;
  let cancel: (() => void) | null = null;
  let came = false;
  let rests = 0;
  let seldom = 0;

  const rehearse = (): void => {
    stage ??= createStage(deps, rehearsed(), deps.turn);
    void stage.rehearse();
    deps.metrics.add('hive_rehearsals_total');
  };
  const look = (): void => {
    cancel = null;
    rests = came ? 0 : rests + 1;
    if (rests * EVERY_MS > KEPT_MS) return;
    try {
      // A call just now has warmed what a rehearsal would.
      if (!came && seldom >= SELDOM_MIN && !pressure.high) rehearse();
    } catch (thrown) {
      // It is not tried again: calls are served as well, only colder.
      deps.log.error('calls are not rehearsed', { error: messageOf(thrown) });
      cancel = nothing;
      return;
    }
    came = false;
    cancel = after(look, EVERY_MS);
  };

  return {
    before: (accept) => (request, response) => {
      const other = accept(request, response);
      // A look at the health, or a page, is no call.
      if (other === null) {
        seldom = came ? Math.max(0, seldom - 1) : Math.min(SELDOM_MAX, seldom + 1);
        came = true;
        cancel ??= after(look, EVERY_MS);
      }
      return other;
    },
    close() {
      cancel?.();
      cancel = nothing;
      stage?.close();
    },
  };
}

function nothing(): void {}
