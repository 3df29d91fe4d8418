/**
 * A 53-bit hash of a text (cyrb53: two multiplicative 32-bit hashes, mixed). Not for secrets: it
 * stands for ids where a million of them must fit in memory. Two of a million ids collide with a
 * probability of 6 in 100,000.
 */
export function hash53(text: string, seed = 0): number {
  return hash53From({ high: 0xdeadbeef ^ seed, low: 0x41c6ce57 ^ seed }, text);
}

/** The hash of a beginning, which many texts share: hash53From goes on from there. */
export interface HashState {
  readonly high: number;
  readonly low: number;
}

/** hash53From(hashState(a), b) is hash53(a + b). */
export function hashState(beginning: string): HashState {
  return taken({ high: 0xdeadbeef, low: 0x41c6ce57 }, beginning);
}

function taken(state: HashState, text: string): HashState {
  let { high, low } = state;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  return { high, low };
}

export function hash53From(state: HashState, text: string): number {
  let { high, low } = taken(state, text);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/** Ids to row numbers, in 24 to 48 bytes an id however long it is. */
export interface IdTable {
  /** Keeps the row of an id; false where the id has one already. */
  add(id: string, row: number): boolean;
  /** The row of an id, or -1. */
  find(id: string): number;
}

export function createIdTable(capacity = 1024): IdTable {
  let keys = new Float64Array(capacity);
  let rows = new Int32Array(capacity);
  let size = 0;
  const slotOf = (key: number, table: Float64Array): number => {
    const mask = table.length - 1;
    let slot = (key ^ (key / 4294967296)) & mask;
    while (table[slot] !== 0 && table[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  };
  const grow = (): void => {
    const more = new Float64Array(keys.length * 2);
    const moreRows = new Int32Array(rows.length * 2);
    for (const [at, key] of keys.entries()) {
      if (key === 0) continue;
      const slot = slotOf(key, more);
      more[slot] = key;
      moreRows[slot] = rows[at] as number;
    }
    keys = more;
    rows = moreRows;
  };
  return {
    add(id, row) {
      if (size * 2 >= keys.length) grow();
      const key = hash53(id) + 1;
      const slot = slotOf(key, keys);
      if (keys[slot] !== 0) return false;
      keys[slot] = key;
      rows[slot] = row;
      size += 1;
      return true;
    },
    find(id) {
      const slot = slotOf(hash53(id) + 1, keys);
      return keys[slot] === 0 ? -1 : (rows[slot] as number);
    },
  };
}
