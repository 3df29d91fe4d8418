import type { Client } from './client.ts';
import type { After } from './clock/after.ts';

/** Something under way that comes to a result, unless it is given up. */
export interface Running<Result> {
  readonly result: Promise<Result>;
  /** The result, or `gone` as soon as the client has left; where it costs less than a race. */
  orGone?(client: Pick<Client, 'onGone'>): Promise<Result | 'gone'>;
  /** Gives it up; `result` then stays unsettled, or is nobody's. */
  abort(): void;
}

export interface Hedging<Result> {
  readonly after_ms: number;
  readonly after: After;
  /** Whether a result is no answer: while another is under way, that one is waited for. */
  failed(result: Result): boolean;
  /** Starts the second one, or null where there is none to be had. Throws what fails the whole. */
  second(): Running<Result> | null;
  /** A failure that was not the last word. */
  lost(result: Result): void;
}

/**
 * Asks a second time when the first takes long, and takes whoever answers first. The loser is given
 * up at once: it has cost enough.
 */
export function hedged<Result>(first: Running<Result>, hedging: Hedging<Result>): Running<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const running = new Set<Running<Result>>();
  let over = false;

  const giveUp = (): void => {
    over = true;
    off();
    for (const one of running) one.abort();
    running.clear();
  };
  const watch = (one: Running<Result>): void => {
    running.add(one);
    const onResult = (result: Result): void => {
      if (over) return;
      running.delete(one);
      if (hedging.failed(result) && running.size > 0) {
        hedging.lost(result);
        return;
      }
      giveUp();
      resolve(result);
    };
    const onFault = (thrown: unknown): void => {
      if (over) return;
      running.delete(one);
      giveUp();
      reject(thrown);
    };
    one.result.then(onResult, onFault);
  };
  const off = hedging.after(() => {
    if (over) return;
    try {
      const second = hedging.second();
      if (second) watch(second);
    } catch (thrown) {
      // A timer is nobody's call: what it throws would end the process.
      giveUp();
      reject(thrown);
    }
  }, hedging.after_ms);

  watch(first);
  return { result: promise, abort: giveUp };
}
