import type { OutboundResponse } from './front/inbound.ts';

/** The client's end of a call: whether anybody is still there to be answered. */
export interface Client {
  readonly gone: boolean;
  /** The work's value, or `gone` as soon as the client has left. */
  unlessGone<Value>(work: Promise<Value>): Promise<Value | 'gone'>;
  /** Calls back when the client leaves, at once where it has left; one listener at a time. */
  onGone(listener: (() => void) | null): void;
}

/** A close after the answer's last byte was handed over is no abort: it is how clients let go. */
export function watchClient(response: OutboundResponse): Client {
  const client = new WatchedClient();
  response.on('close', () => {
    if (!response.writableEnded) client.leave();
  });
  return client;
}

class WatchedClient implements Client {
  #gone = false;
  #listener: (() => void) | null = null;

  get gone(): boolean {
    return this.#gone;
  }

  leave(): void {
    this.#gone = true;
    this.#listener?.();
  }

  onGone(listener: (() => void) | null): void {
    this.#listener = listener;
    if (this.#gone) listener?.();
  }

  unlessGone<Value>(work: Promise<Value>): Promise<Value | 'gone'> {
    if (this.#gone) {
      // Nobody hears any more how it ends, which must not be taken for a fault of ours.
      work.catch(() => {});
      return Promise.resolve('gone');
    }
    return new Promise((resolve, reject) => {
      this.onGone(() => resolve('gone'));
      work.then(resolve, reject);
    });
  }
}
