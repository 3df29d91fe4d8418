/**
 * The latest of what was made, for whoever compares with a few before making one more: a new one
 * takes the oldest one's place. They are looked through by hand, since a look that took a function
 * would make one each time.
 */
export class Latest<Value> {
  readonly #kept: Value[] = [];
  readonly #max: number;
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get all(): readonly Value[] {
    return this.#kept;
  }

  keep(value: Value): void {
    this.#kept[this.#next] = value;
    this.#next = (this.#next + 1) % this.#max;
  }
}
