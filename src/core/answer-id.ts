/**
 * An id for an answer whose upstream gave it none: a dialect's mark and the digits of the call's
 * own, so that either is found by the other. Clients keep it, and rate by it.
 */
export function ownId(mark: string, call_id: string): string {
  return mark + call_id.slice(call_id.indexOf('_') + 1).replaceAll('-', '');
}
