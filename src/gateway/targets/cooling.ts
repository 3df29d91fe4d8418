/**
 * What a provider's 429 means to a target: it is left alone until it may be asked again. That is no
 * failure of it, so no breaker hears of it.
 */
export class Cooling {
  #until_ms = Number.NEGATIVE_INFINITY;
  #in_a_row = 0;

  /** `said_s` is the provider's own word; without it the waits double, from least to most. */
  limit(said_s: number | null, backoff_ms: readonly [number, number], now_ms: number): void {
    const [least_ms, most_ms] = backoff_ms;
    const guess_ms = Math.min(most_ms, least_ms * 2 ** Math.min(this.#in_a_row, 20));
    const wait_ms = said_s === null ? guess_ms : Math.min(said_s * 1000, SAID_MS_MAX);
    // Answers to calls sent before the first 429 say nothing new.
    if (this.left_ms(now_ms) === 0) this.#in_a_row += 1;
    this.#until_ms = Math.max(this.#until_ms, now_ms + wait_ms);
  }

  /** Whether it was ever to be left alone: nearly none, and they need no look at the clock. */
  get begun(): boolean {
    return this.#until_ms !== Number.NEGATIVE_INFINITY;
  }

  answered(): void {
    this.#in_a_row = 0;
  }

  left_ms(now_ms: number): number {
    return Math.max(0, this.#until_ms - now_ms);
  }
}

/** A provider that says "in an hour" is asked sooner: it may be wrong, or its quota raised. */
const SAID_MS_MAX = 60_000;
