import { randomFillSync, randomUUID } from 'node:crypto';

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

/**
 * Makes ids of one kind, many in a millisecond: the time's digits are written once for all, and
 * random bytes are drawn for many. One made in one piece is also hashed and copied at once later.
 */
export function createIdMaker(kind: IdKind): (wall_ms: number) => string {
  const text = Buffer.alloc(kind.length + ID_LENGTH);
  const version_at = kind.length + TIME_LENGTH - 1;
  const random = Buffer.allocUnsafe(RANDOM_BYTES * RANDOM_IDS);
  let of_ms = Number.NaN;
  let drawn = random.length;
  return (wall_ms) => {
    if (wall_ms !== of_ms) {
      text.write(createId(kind, wall_ms), 'latin1');
      of_ms = wall_ms;
    }
    if (drawn === random.length) {
      randomFillSync(random);
      drawn = 0;
    }
    const variant = random[drawn] as number;
    // Two random bits beside the variant's two; the hyphens stand there.
    text[version_at + 5] = HEX[8 | (variant & 3)] as number;
    for (let byte = 1; byte < RANDOM_BYTES; byte += 1) {
      const value = random[drawn + byte] as number;
      text[version_at + (PLACES[byte * 2] as number)] = HEX[value >>> 4] as number;
      text[version_at + (PLACES[byte * 2 + 1] as number)] = HEX[value & 15] as number;
    }
    drawn += RANDOM_BYTES;
    return text.toString('latin1');
  };
}

/** Of `_`, the time's digits, and the version: all before a UUID's random part. */
const TIME_LENGTH = 16;
/** Of `_` and a UUID. */
const ID_LENGTH = 37;
/** One for two of the variant's bits, nine for eighteen digits. */
const RANDOM_BYTES = 10;
/** Ids that random bytes are drawn for at once. */
const RANDOM_IDS = 400;
const HEX = Buffer.from('0123456789abcdef');
/** Where the random digits stand behind the version's, from the second pair on. */
const PLACES: Readonly<Uint8Array> = Uint8Array.from([
  0, 0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
]);

/** An id of the product, `<kind>_<uuidv7>`: the prefix says what it names wherever it turns up. */
export function createId(kind: IdKind, wall_ms: number): string {
  return `${kind}_${uuidv7(wall_ms)}`;
}
