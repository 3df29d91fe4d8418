/** Of one turn, for all who want more than their share of it. */
const SHARES_MS = 5;

/**
 * Work put off to the end of a turn of the event loop, when all that had arrived has been read.
 * Writing to a socket wakes whoever reads it: sent one by one between the reads, each of a hundred
 * answers wakes a process that has just gone to sleep; sent together, the first wakes it for all.
 * Where one thing waits, it waits for microseconds.
 */
export class TurnEnd {
  #writes: (() => void)[] = [];
  #rest: (() => void)[] = [];
  #shares: (() => void)[] = [];
  #due = false;
  #number = 0;
  readonly #monotonic_ms: () => number;
  readonly #run = (): void => {
    const [writes, rest] = [this.#writes, this.#rest];
    this.#writes = [];
    this.#rest = [];
    this.#due = false;
    this.#number += 1;
    for (const one of writes) one();
    for (const one of rest) one();
    if (this.#shares.length > 0) this.#runShares();
  };

  constructor(monotonic_ms: () => number = () => performance.now()) {
    this.#monotonic_ms = monotonic_ms;
  }

  /** Another one each time that put off work was done: what one stream did is counted anew. */
  get number(): number {
    return this.#number;
  }

  /** What somebody waits for. */
  write(work: () => void): void {
    this.#writes.push(work);
    this.#schedule();
  }

  /** What nobody waits for: after all that is written. */
  afterwards(work: () => void): void {
    this.#rest.push(work);
    this.#schedule();
  }

  /**
   * More work of somebody who has had their share of this turn. It is done by turns, in the order
   * in which it was put off, and for so long only: then everybody else is heard again.
   */
  share(work: () => void): void {
    this.#shares.push(work);
    this.#schedule();
  }

  /** One at least, however late it is; each of them may put off more. */
  #runShares(): void {
    const end_ms = this.#monotonic_ms() + SHARES_MS;
    let at = 0;
    do {
      this.#shares[at]?.();
      at += 1;
    } while (at < this.#shares.length && this.#monotonic_ms() < end_ms);
    this.#shares.splice(0, at);
    if (this.#shares.length > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(this.#run);
  }
}
