import type { Escalation, Underway } from './escalation.ts';
import type { Place } from './overload.ts';

/** One call on its way over the targets. */
export interface Turn extends Underway {
  readonly place: Place;
  /** Null where no plugin looks at answers. */
  readonly escalation: Escalation | null;
}
