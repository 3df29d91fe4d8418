/**
 * Finds the newest entries of a ring by a key, as LZ77 finds earlier matches: `heads` holds the
 * newest entry of a bucket, `earlier` each entry's predecessor in it. An entry that the ring has
 * overwritten is told by its sequence number, so nothing is ever deleted, and the memory is what
 * was allocated at the start. Entries are numbered from 1; each number is added once, ascending.
 */
export interface RecencyIndex {
  add(sequence: number, key: string): void;
  /**
   * Entries whose key has the same 64-bit fingerprint, newest first. `newest` is the number of the
   * ring's newest entry, also where that one has no key in this index.
   */
  newestFirst(key: string, newest: number): Generator<number>;
}

/** Entries looked at for one key, so that a crowded bucket costs a bounded walk. */
const STEPS_MAX = 4096;

export function createRecencyIndex(max: number): RecencyIndex {
  const buckets = 2 ** Math.ceil(Math.log2(max + 1));
  const heads = new Float64Array(buckets);
  /** How far back the predecessor is; 0 where there is none that is alive. */
  const back = new Uint32Array(max);
  const high = new Uint32Array(max);
  const low = new Uint32Array(max);

  return {
    add(sequence, key) {
      const slot = sequence % max;
      const [left, right] = fingerprint(key);
      const bucket = right & (buckets - 1);
      const predecessor = heads[bucket] as number;
      const distance = sequence - predecessor;
      high[slot] = left;
      low[slot] = right;
      back[slot] = predecessor > 0 && distance < max ? distance : 0;
      heads[bucket] = sequence;
    },
    *newestFirst(key, newest) {
      const [left, right] = fingerprint(key);
      const oldest = Math.max(0, newest - max);
      let sequence = heads[right & (buckets - 1)] as number;
      for (let steps = 0; steps < STEPS_MAX && sequence > oldest; steps += 1) {
        const slot = sequence % max;
        if (high[slot] === left && low[slot] === right) yield sequence;
        if (back[slot] === 0) return;
        sequence -= back[slot] as number;
      }
    },
  };
}

/**
 * Two 32-bit halves (cyrb53's mixing over UTF-16 units). What is looked up are ids and keyed hashes
 * of one tenant: whoever makes two of them collide only confuses their own feedback.
 */
function fingerprint(key: string): readonly [number, number] {
  let left = 0xdeadbeef;
  let right = 0x41c6ce57;
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index);
    left = Math.imul(left ^ unit, 2654435761);
    right = Math.imul(right ^ unit, 1597334677);
  }
  const mixed = mix(left, right);
  return [mixed, mix(right, mixed)];
}

function mix(value: number, other: number): number {
  const first = Math.imul(value ^ (value >>> 16), 2246822507);
  return (first ^ Math.imul(other ^ (other >>> 13), 3266489909)) >>> 0;
}
