/**
 * Work put off to the end of a turn of the event loop, when all that had arrived has been read.
 * Writing to a socket wakes whoever reads it: sent one by one between the reads, each of a hundred
 * answers wakes a process that has just gone to sleep; sent together, the first wakes it for all.
 * Where one thing waits, it waits for microseconds.
 */
export class TurnEnd {
  #writes: (() => void)[] = [];
  #rest: (() => void)[] = [];
  #due = false;
  readonly #run = (): void => {
    const [writes, rest] = [this.#writes, this.#rest];
    this.#writes = [];
    this.#rest = [];
    this.#due = false;
    for (const one of writes) one();
    for (const one of rest) one();
  };

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

  #schedule(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(this.#run);
  }
}
