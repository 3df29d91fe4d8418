/**
 * Work put off to the end of a turn of the event loop, when all that had arrived has been read.
 * Writing to a socket wakes whoever reads it: sent one by one between the reads, each of a hundred
 * answers wakes a process that has just gone to sleep; sent together, the first wakes it for all.
 * Where one thing waits, it waits for microseconds.
 */
export class TurnEnd {
  #waiting: (() => void)[] = [];
  readonly #run = (): void => {
    const work = this.#waiting;
    this.#waiting = [];
    for (const one of work) one();
  };

  later(work: () => void): void {
    if (this.#waiting.push(work) === 1) setImmediate(this.#run);
  }
}
