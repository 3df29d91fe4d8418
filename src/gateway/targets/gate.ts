import type { After } from '../clock/after.ts';

/** Bounds of a gate; they may differ from call to call, as policies are swapped. */
export interface GateLimits {
  readonly places: number;
  readonly queue_ms: number;
  readonly queue_max: number;
}

/** A wait for a place. */
export interface Waiting {
  /** True with a place taken; false where the wait was in vain. */
  readonly admitted: Promise<boolean>;
  /** Gives the wait up, or the place where it has just been had. */
  leave(): void;
}

interface Waiter {
  readonly admit: (admitted: boolean) => void;
  readonly off: () => void;
}

/**
 * Lets so many in at once; the others wait in a line, first come first served, as long as they may
 * and as many as may. Both bounds matter: a queue without them only hides that there is too much.
 * A line that does not come to its end is no burst but too much: who joins it then may wait only
 * briefly, and the newest goes in first, else every call would be served just before its time is
 * up.
 */
export class Gate {
  readonly #after: After;
  readonly #line = new Set<Waiter>();
  /** The same in an order that can be taken from its end, and those who have gone since. */
  #came: Waiter[] = [];
  #taken = 0;
  /** The line has not been empty for a whole wait. */
  #standing = false;
  #standsOff: (() => void) | null = null;
  #places = Number.POSITIVE_INFINITY;

  constructor(after: After) {
    this.#after = after;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#line.size;
  }

  isFull(places: number): boolean {
    this.#resize(places);
    return this.#taken >= places || this.#line.size > 0;
  }

  /** Takes a place if there is one and nobody stands before. */
  enter(places: number): boolean {
    if (this.isFull(places)) return false;
    this.#taken += 1;
    return true;
  }

  /** Takes a place whether there is one or not. */
  force(): void {
    this.#taken += 1;
  }

  /** Stands in line, no longer than the call has left; null where the line is full. */
  wait({ places, queue_ms, queue_max }: GateLimits, left_ms: number): Waiting | null {
    this.#resize(places);
    if (this.#line.size >= queue_max || queue_ms <= 0) return null;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let left = false;
    let had = false;
    this.#standsOff ??= this.#after(() => {
      this.#standing = true;
    }, queue_ms);
    const line_ms = this.#standing ? queue_ms * BRIEF : queue_ms;
    const wait_ms = Math.max(0, Math.min(line_ms, left_ms));
    const waiter: Waiter = {
      admit: (admitted) => {
        this.#line.delete(waiter);
        if (this.#line.size === 0) this.#rest();
        waiter.off();
        had = admitted;
        resolve(admitted);
      },
      off: this.#after(() => waiter.admit(false), wait_ms),
    };
    this.#line.add(waiter);
    this.#came.push(waiter);
    if (this.#came.length > 2 * this.#line.size + 64) this.#came = [...this.#line];
    return {
      admitted: promise,
      leave: () => {
        if (left) return;
        left = true;
        if (had) this.leave();
        else if (this.#line.has(waiter)) waiter.admit(false);
      },
    };
  }

  /** Gives a place back. */
  leave(): void {
    this.#taken -= 1;
    this.#admitNext();
  }

  #rest(): void {
    this.#standsOff?.();
    this.#standsOff = null;
    this.#standing = false;
    this.#came = [];
  }

  #resize(places: number): void {
    this.#places = places;
    if (this.#line.size > 0) this.#admitNext();
  }

  #admitNext(): void {
    while (this.#taken < this.#places) {
      const waiter = this.#standing ? this.#newest() : this.#line.values().next().value;
      if (waiter === undefined) return;
      this.#taken += 1;
      waiter.admit(true);
    }
  }

  /** Of those who still wait; who has gone is left behind on the way. */
  #newest(): Waiter | undefined {
    let waiter = this.#came.pop();
    while (waiter && !this.#line.has(waiter)) waiter = this.#came.pop();
    return waiter;
  }
}

/** Of `queue_ms`: how long those who join a standing line may wait. */
const BRIEF = 0.05;
