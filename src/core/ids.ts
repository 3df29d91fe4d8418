import { randomBytes } from 'node:crypto';

/** A UUID version 7 (RFC 9562 §5.7): ids that sort by the wall time at which they were made. */
export function uuidv7(wall_ms: number, random: Uint8Array = randomBytes(10)): string {
  const time = Math.max(0, Math.floor(wall_ms)).toString(16).padStart(12, '0').slice(-12);
  const tail = Buffer.from(random);
  tail[0] = ((tail[0] ?? 0) & 0x0f) | 0x70;
  tail[2] = ((tail[2] ?? 0) & 0x3f) | 0x80;
  const hex = tail.toString('hex');
  return [
    time.slice(0, 8),
    time.slice(8, 12),
    hex.slice(0, 4),
    hex.slice(4, 8),
    hex.slice(8, 20),
  ].join('-');
}

export type IdKind = 'call' | 'fb' | 'mut' | 'plan' | 'cycle' | 'analysis' | 'finding' | 'rollback';

/** An id of the product, `<kind>_<uuidv7>`: the prefix says what it names wherever it turns up. */
export function createId(kind: IdKind, wall_ms: number): string {
  return `${kind}_${uuidv7(wall_ms)}`;
}
