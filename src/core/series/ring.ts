import { at } from './numbers.ts';

/** The last `capacity` numbers, oldest first. */
export class Ring {
  readonly #values: Float64Array;
  #start = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const { length: capacity } = this.#values;
    if (this.#length < capacity) {
      this.#values[(this.#start + this.#length) % capacity] = value;
      this.#length += 1;
    } else {
      this.#values[this.#start] = value;
      this.#start = (this.#start + 1) % capacity;
    }
  }

  /** The number `ago` pushes before the last; NaN if it is gone or never was. */
  back(ago: number): number {
    if (ago >= this.#length) return Number.NaN;
    const place = this.#start + this.#length - 1 - ago;
    return at(this.#values, place % this.#values.length);
  }

  clear(): void {
    this.#start = 0;
    this.#length = 0;
  }

  /** The last `count` numbers (all by default), oldest first. */
  toArray(count: number = this.#length): Float64Array {
    const taken = Math.min(count, this.#length);
    const result = new Float64Array(taken);
    const { length: capacity } = this.#values;
    const from = (this.#start + this.#length - taken) % capacity;
    const straight = Math.min(taken, capacity - from);
    result.set(this.#values.subarray(from, from + straight));
    result.set(this.#values.subarray(0, taken - straight), straight);
    return result;
  }
}
