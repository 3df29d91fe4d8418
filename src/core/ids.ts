import { randomUUID } from 'node:crypto';

/**
 * A UUID version 7 (RFC 9562 §5.7): ids that sort by the wall time at which they were made. The
 * random bits are those of a version 4 UUID, which Node draws in batches: ten times cheaper than
 * asking for ten bytes.
 */
export function uuidv7(wall_ms: number, random: string = randomUUID()): string {
  const time = Math.max(0, Math.floor(wall_ms)).toString(16).padStart(12, '0').slice(-12);
  // After the version's digit a version 4 and a version 7 UUID are alike, the variant included.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}

export type IdKind = 'call' | 'fb' | 'mut' | 'plan' | 'cycle' | 'analysis' | 'finding' | 'rollback';

/** Makes ids of one kind, many in a millisecond: the time's digits are written once for all. */
export function createIdMaker(kind: IdKind): (wall_ms: number) => string {
  let prefix = '';
  let of_ms = Number.NaN;
  return (wall_ms) => {
    if (wall_ms !== of_ms) {
      prefix = createId(kind, wall_ms).slice(0, kind.length + TIME_LENGTH);
      of_ms = wall_ms;
    }
    return prefix + randomUUID().slice(15);
  };
}

/** Of `_`, the time's digits, and the version: all before a UUID's random part. */
const TIME_LENGTH = 16;

/** An id of the product, `<kind>_<uuidv7>`: the prefix says what it names wherever it turns up. */
export function createId(kind: IdKind, wall_ms: number): string {
  return `${kind}_${uuidv7(wall_ms)}`;
}
