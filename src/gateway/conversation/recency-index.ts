/**
 * Finds the newest entries of a ring by a key, as LZ77 finds earlier matches: `heads` holds the
 * newest entry of a bucket, `earlier` each entry's predecessor in it. An entry that the ring has
 * overwritten is told by its sequence number, so nothing is ever deleted, and the memory is what
 * was allocated at the start. Entries are numbered from 1; each number is added once, ascending.
 */
export interface RecencyIndex {
  add(sequence: number, key: string): void;
  /**
   * Shows the entries whose key has the same 64-bit fingerprint, newest first, until `see` has seen
   * enough. `newest` is the number of the ring's newest entry, also where that one has no key in
   * this index. A callback and no iterator: this runs several times a call.
   */
  newestFirst(key: string, newest: number, see: (sequence: number) => 'enough' | 'more'): void;
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

  /**
   * The latest key, and the halves of its fingerprint: a pair would be garbage at each look-up.
   * What is looked up is mostly added right after, and an agent is the one of the call before.
   */
  let latest: string | null = null;
  let left = 0;
  let right = 0;

  /**
   * Two 32-bit halves (cyrb53's mixing over UTF-16 units). What is looked up are ids and keyed
   * hashes of one tenant: whoever makes two of them collide only confuses their own feedback.
   */
  const fingerprint = (key: string): void => {
    if (key === latest) return;
    latest = key;
    let first = 0xdeadbeef;
    let second = 0x41c6ce57;
    for (let index = 0; index < key.length; index += 1) {
      const unit = key.charCodeAt(index);
      first = Math.imul(first ^ unit, 2654435761);
      second = Math.imul(second ^ unit, 1597334677);
    }
    left = mix(first, second);
    right = mix(second, left);
  };

  return {
    add(sequence, key) {
      const slot = sequence % max;
      fingerprint(key);
      const bucket = right & (buckets - 1);
      const predecessor = heads[bucket] as number;
      const distance = sequence - predecessor;
      high[slot] = left;
      low[slot] = right;
      back[slot] = predecessor > 0 && distance < max ? distance : 0;
      heads[bucket] = sequence;
    },
    newestFirst(key, newest, see) {
      fingerprint(key);
      // `see` may look another key up.
      const [wanted_high, wanted_low] = [left, right];
      const oldest = Math.max(0, newest - max);
      let sequence = heads[wanted_low & (buckets - 1)] as number;
      for (let steps = 0; steps < STEPS_MAX && sequence > oldest; steps += 1) {
        const slot = sequence % max;
        const found = high[slot] === wanted_high && low[slot] === wanted_low;
        if (found && see(sequence) === 'enough') return;
        if (back[slot] === 0) return;
        sequence -= back[slot] as number;
      }
    },
  };
}

/** Half of a 64-bit fingerprint out of cyrb53's two running halves. */
export function mix(value: number, other: number): number {
  const first = Math.imul(value ^ (value >>> 16), 2246822507);
  return (first ^ Math.imul(other ^ (other >>> 13), 3266489909)) >>> 0;
}
