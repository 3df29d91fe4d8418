/** Below it a part is copied together with its neighbours: an object for each costs more. */
const COPIED_BELOW = 4096;
const BLOCK_BYTES_MIN = 1024;
const BLOCK_BYTES_MAX = 64 * 1024;

/**
 * Bytes that came in parts, to be joined later. What they take of memory is in proportion to them,
 * however small the parts are: whoever sends a megabyte in chunks of one byte would otherwise have
 * a million objects kept, of a hundred bytes each. The first part is kept as it is, and is what
 * `join` returns where no other came.
 */
export class ByteParts {
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  /** Where small parts go; those from `#from` to `#to` are no member of `#parts` yet. */
  #block: Buffer | null = null;
  #from = 0;
  #to = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps the part itself where it is large: it must not change any more. */
  push(part: Uint8Array): void {
    if (part.length === 0) return;
    const first = this.#bytes === 0;
    this.#bytes += part.length;
    if (first || part.length >= COPIED_BELOW) {
      this.#seal();
      this.#parts.push(part);
      return;
    }
    let block = this.#block;
    if (block === null || this.#to + part.length > block.length) {
      this.#seal();
      block = Buffer.allocUnsafeSlow(blockBytes(block, part.length));
      this.#block = block;
      this.#from = 0;
      this.#to = 0;
    }
    block.set(part, this.#to);
    this.#to += part.length;
  }

  /** All of them as one, and `tail` behind them; then there are none. */
  join(tail?: Uint8Array): Uint8Array {
    this.#seal();
    const parts = this.#parts;
    if (tail !== undefined) parts.push(tail);
    const all = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    parts.length = 0;
    this.#bytes = 0;
    this.#block = null;
    this.#from = 0;
    this.#to = 0;
    return all;
  }

  #seal(): void {
    if (this.#block === null || this.#to === this.#from) return;
    this.#parts.push(this.#block.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}

/** Twice the last one: a few small parts do not need much, and many need few blocks. */
function blockBytes(last: Buffer | null, least: number): number {
  const wanted = last === null ? BLOCK_BYTES_MIN : Math.min(BLOCK_BYTES_MAX, last.length * 2);
  return Math.max(wanted, least);
}
