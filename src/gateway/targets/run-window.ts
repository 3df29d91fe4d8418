const SLOTS = 10;

interface Slot {
  number: number;
  runs: number;
  failures: number;
}

/** Runs and failures of the last while, in ten slots: what is older falls out by tenths. */
export class RunWindow {
  readonly #slot_ms: number;
  readonly #slots: Slot[] = Array.from({ length: SLOTS }, () => ({
    number: -1,
    runs: 0,
    failures: 0,
  }));

  constructor(window_ms: number) {
    this.#slot_ms = window_ms / SLOTS;
  }

  count(what: 'runs' | 'failures', now_ms: number): void {
    const number = Math.floor(now_ms / this.#slot_ms);
    const slot = this.#slots[number % SLOTS] as Slot;
    if (slot.number !== number) {
      slot.number = number;
      slot.runs = 0;
      slot.failures = 0;
    }
    slot[what] += 1;
  }

  sum(now_ms: number): { readonly runs: number; readonly failures: number } {
    const oldest = Math.floor(now_ms / this.#slot_ms) - SLOTS;
    let runs = 0;
    let failures = 0;
    for (const slot of this.#slots) {
      if (slot.number <= oldest) continue;
      runs += slot.runs;
      failures += slot.failures;
    }
    return { runs, failures };
  }
}
